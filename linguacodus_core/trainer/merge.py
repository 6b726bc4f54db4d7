"""An adapter merged into its base: one folder that anything which loads safetensors can serve.

`python -m linguacodus_core.trainer.merge ADAPTER_FOLDER OUT`; ADAPTER_FOLDER is one of the registry. What
goes wrong is one JSON line on standard output, as trainer.events has it, and exit status 2.
"""

import hashlib
import json
import shutil
import sys
import uuid
from pathlib import Path

from linguacodus_core import store
from linguacodus_core.adapters.manifest import MANIFEST, WEIGHTS, Manifest
from linguacodus_core.errors import AdapterError, LinguacodusError, TrainingError

MARK = "merged.json"
"""Written last into a merged folder; says which weights of the adapter are in it."""


def run(adapter_folder: Path, base_folder: Path, out: Path) -> Path:
    """Write the base with the adapter in it to out, whole or not at all; what is there is replaced.

    The weights keep the base's type. Raises AdapterError when the adapter does not fit the base,
    TrainingError when memory is short, StoreError on a full disk.
    """
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    part = out.with_name(f".{out.name}.{uuid.uuid4().hex[:8]}.part")
    with store.described(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        for killed in out.parent.glob(f".{out.name}.*.part"):
            shutil.rmtree(killed, ignore_errors=True)
    try:
        model = AutoModelForCausalLM.from_pretrained(base_folder, dtype="auto")
        tuned = PeftModel.from_pretrained(model, adapter_folder)
        with torch.no_grad():
            merged = tuned.merge_and_unload(safe_merge=True)
        tokenizer = AutoTokenizer.from_pretrained(base_folder)
        with store.described(out):
            merged.save_pretrained(part)
            tokenizer.save_pretrained(part)
            store.write_json(part / MARK, {"weights": _sha256(adapter_folder / WEIGHTS)})
            if out.exists():
                shutil.rmtree(out)
            part.rename(out)
    except MemoryError as error:
        raise TrainingError(
            f"memory is too short to load {base_folder}", "use a machine with more, or vLLM"
        ) from error
    except (RuntimeError, ValueError, KeyError) as error:
        said = str(error).splitlines() or [repr(error)]
        line = next((text.strip() for text in said if "size mismatch" in text), said[0])
        raise AdapterError(
            f"the adapter in {adapter_folder} does not fit the base in {base_folder}: {line[:300]}",
            "use it with the base that it was trained on",
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return out


def merge(adapter_folder: Path, out: Path) -> Path:
    """Merge an adapter of the registry into the base that its manifest names, fetched or converted first.

    Raises AdapterError when that base is not the one it was trained on, and what `run` and `materialise`
    raise.
    """
    from linguacodus_core.trainer.base import materialise
    from linguacodus_core.training.base import identity

    manifest = Manifest.model_validate_json((adapter_folder / MANIFEST).read_bytes())
    base = materialise(manifest.base)
    if (found := identity(manifest.base)) != manifest.base_identity:
        raise AdapterError(
            f"{manifest.name} is an adapter of another base: it was trained on {manifest.base_identity}, and "
            f"{manifest.base} is {found}",
            "bring that base back, or train on this one: linguacodus finetune",
        )
    return run(adapter_folder, base, out)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def main() -> None:
    """Merge what the command line names."""
    if len(sys.argv) != 3:
        sys.exit("usage: python -m linguacodus_core.trainer.merge ADAPTER_FOLDER OUT")
    try:
        merge(Path(sys.argv[1]), Path(sys.argv[2]))
    except LinguacodusError as error:
        print(json.dumps({"event": "error", "problem": error.problem, "remedy": error.remedy}), flush=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
