"""An adapter merged into its base, and served so."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from linguacodus_core.adapters import registry
from linguacodus_core.adapters.manifest import WEIGHTS
from linguacodus_core.errors import AdapterError, ModelUnavailable
from linguacodus_core.llm import engines
from linguacodus_core.trainer.merge import merge
from linguacodus_core.training.base import identity
from tests.adapter_files import FIELDS

torch = pytest.importorskip("torch", reason="the training extra is not installed")
ROOT = str(Path(__file__).parents[2])
pytestmark = pytest.mark.usefixtures("home")


def tuned(base: Path, folder: Path) -> Any:
    """The base with a LoRA of random numbers, saved to a folder."""
    import peft
    import transformers

    model = transformers.AutoModelForCausalLM.from_pretrained(base)
    lora = peft.LoraConfig(
        r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False
    )
    torch.manual_seed(3)
    adapted = peft.get_peft_model(model, lora)
    adapted.save_pretrained(folder)
    return adapted.eval()


def register(source: Path, base: Path, **changes: Any) -> registry.Adapter:
    changes.setdefault("base_identity", identity(str(base)) if base.is_dir() else "")
    return registry.register(source, {**FIELDS, "name": "tiny-sft-0123abcd", "base": str(base), **changes})


@pytest.mark.slow
def test_a_merged_model_says_what_base_and_adapter_say_and_is_made_once(
    tiny: Path, tmp_path: Path, monkeypatch
) -> None:
    import transformers

    both = tuned(tiny, tmp_path / "adapter")
    adapter = register(tmp_path / "adapter", tiny)
    folder = engines.merged(adapter)
    merged = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    base = transformers.AutoModelForCausalLM.from_pretrained(tiny).eval()
    tokens = torch.arange(20).unsqueeze(0)
    with torch.no_grad():
        found, expected, untuned = (model(tokens).logits for model in (merged, both, base))
    assert torch.allclose(found, expected, atol=1e-4)
    assert not torch.allclose(found, untuned, atol=1e-2)
    assert transformers.AutoTokenizer.from_pretrained(folder).chat_template
    monkeypatch.setattr(engines, "_start", None)
    assert engines.merged(adapter) == folder


def test_a_killed_merge_leaves_nothing_and_a_torn_one_is_made_again(tiny: Path, tmp_path: Path) -> None:
    tuned(tiny, tmp_path / "adapter")
    adapter = register(tmp_path / "adapter", tiny)
    out = tmp_path / "merged" / adapter.name
    out.mkdir(parents=True)
    (out / "model.safetensors").write_bytes(b"half")
    killed = out.with_name(f".{out.name}.0123abcd.part")
    killed.mkdir()
    assert merge(adapter.folder, out) == out
    assert (out / "model.safetensors").stat().st_size > 10_000
    assert json.loads((out / "merged.json").read_text())["weights"] == adapter.manifest.files[WEIGHTS]
    assert list(out.parent.iterdir()) == [out]


def test_an_adapter_that_does_not_fit_is_told_and_leaves_nothing(
    tiny: Path, tiny_qwen: Path, tmp_path: Path
) -> None:
    tuned(tiny_qwen, tmp_path / "adapter")
    out = tmp_path / "merged" / "narrow"
    alien = register(tmp_path / "adapter", tiny, base_identity="another@0123456789ab")
    with pytest.raises(AdapterError, match="adapter of another base"):
        merge(alien.folder, out)
    import transformers

    config = transformers.AutoConfig.from_pretrained(tiny)
    config.hidden_size, config.num_attention_heads, config.num_key_value_heads = 32, 4, 2
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path / "narrow")
    transformers.AutoTokenizer.from_pretrained(tiny).save_pretrained(tmp_path / "narrow")
    adapter = register(tmp_path / "adapter", tmp_path / "narrow", name="narrow-sft-0123abcd")
    with pytest.raises(AdapterError, match="size mismatch"):
        merge(adapter.folder, out)
    assert not out.parent.exists() or list(out.parent.iterdir()) == []


def test_a_damaged_adapter_is_told_before_anything_is_loaded(tiny: Path, tmp_path: Path, monkeypatch) -> None:
    tuned(tiny, tmp_path / "adapter")
    adapter = register(tmp_path / "adapter", tiny)
    (adapter.folder / WEIGHTS).write_bytes(b"flipped")
    monkeypatch.setattr(engines, "_start", None)
    with pytest.raises(AdapterError, match="has changed"):
        engines.merged(adapter)


def test_what_the_merge_says_went_wrong_is_one_message(tiny: Path, tmp_path: Path) -> None:
    tuned(tiny, tmp_path / "adapter")
    adapter = register(tmp_path / "adapter", tmp_path / "gone", base_identity="gone@0123456789ab")
    with pytest.raises(AdapterError, match="there is no folder") as caught:
        engines.merged(adapter)
    assert "cannot be merged into" in caught.value.problem
    assert caught.value.remedy == "check the path"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_transformers_serves_the_merged_model_by_the_adapters_name_alone(tiny: Path, tmp_path: Path) -> None:
    tuned(tiny, tmp_path / "adapter")
    adapter = register(tmp_path / "adapter", tiny)
    merge(adapter.folder, engines.local_home() / "merged" / adapter.name)
    port = free_port()
    body = {"messages": [{"role": "user", "content": "houses"}], "max_tokens": 4, "temperature": 0.7}
    with engines.by_transformers(adapter, port) as url:
        assert url == f"http://127.0.0.1:{port}/v1"
        answer = httpx.post(f"{url}/chat/completions", json={"model": adapter.name, **body}, timeout=60)
        assert answer.status_code == 200
        assert answer.json()["usage"]["completion_tokens"] <= 4
        offered = httpx.get(f"{url}/models", timeout=60).json()["data"]
        assert [model["id"] for model in offered] == [adapter.name]
        other = httpx.post(f"{url}/chat/completions", json={"model": "another", **body}, timeout=60)
        assert other.status_code == 400
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{port}/health", timeout=2)


@pytest.mark.slow
def test_a_server_that_does_not_start_is_told_with_the_end_of_its_log(tiny: Path, tmp_path: Path) -> None:
    tuned(tiny, tmp_path / "adapter")
    adapter = register(tmp_path / "adapter", tiny)
    (merge(adapter.folder, engines.local_home() / "merged" / adapter.name) / "config.json").write_text("{}")
    with pytest.raises(ModelUnavailable, match="transformers could not serve tiny-sft-0123abcd") as caught:
        engines.by_transformers(adapter, free_port()).__enter__()
    assert "transformers-serve-" in caught.value.remedy


DYING = """
import os, sys
from linguacodus_core.llm import engines
child = engines._start([sys.executable, "-c", "import time; time.sleep(120)"], 1)
print(child.pid, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(
    sys.platform != "linux", reason="the kernel ends children with their parent on Linux alone"
)
def test_a_server_dies_with_the_command_that_started_it() -> None:
    import psutil

    done = subprocess.run(
        [sys.executable, "-c", DYING], capture_output=True, text=True, cwd=ROOT, env=dict(os.environ)
    )
    child = int(done.stdout.split()[0])
    if psutil.pid_exists(child):
        _, alive = psutil.wait_procs([psutil.Process(child)], timeout=10)
        assert not alive
