"""The registry of adapters: whole folders under LINGUACODUS_HOME/adapters, and which of them is promoted.

What has no manifest does not exist. An adapter is copied in beside the others, brought to the disk, and gets
its name by one rename, so that a kill leaves none that only looks whole.
"""

import difflib
import hashlib
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

import linguacodus_core
from linguacodus_core.adapters.disk import alone, replace, staged, to_disk, write
from linguacodus_core.adapters.manifest import LORA_CONFIG, MANIFEST, WEIGHTS, Adapter, Manifest, root
from linguacodus_core.adapters.metrics import failed_checks
from linguacodus_core.errors import AdapterError, GateRefused
from linguacodus_core.progress import warn

__all__ = [
    "Adapter",
    "Manifest",
    "list_adapters",
    "open_adapter",
    "promote",
    "promoted",
    "promotions",
    "register",
    "verify",
]

PROMOTED = "promoted.json"
TRAIN = "linguacodus finetune --dataset latest --config smollm2-135m-cpu"


class Promotion(BaseModel):
    """When an adapter was promoted, and whether although its gate had refused it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    when: str
    forced: bool = False


class Promotions(BaseModel):
    """The promoted adapter and those before it, the oldest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    promoted: str | None = None
    history: tuple[Promotion, ...] = ()


def list_adapters() -> list[Adapter]:
    """All adapters, newest first; one with a damaged manifest is left out with a warning."""
    if not root().is_dir():
        return []
    found = []
    for folder in root().iterdir():
        try:
            if manifest := _manifest(folder.name):
                found.append(Adapter(manifest))
        except AdapterError as error:
            warn(str(error))
    return sorted(found, key=lambda adapter: (adapter.manifest.created, adapter.name), reverse=True)


def open_adapter(name: str) -> Adapter:
    """The adapter of that name, of a name that begins so, `latest`, or `promoted`.

    Raises AdapterError: unknown (with those that are known), several that begin so, none promoted, a
    promoted one that is gone, a damaged manifest.
    """
    if name == "promoted":
        return _promoted()
    if name != "latest" and (exact := _manifest(name)):
        return Adapter(exact)
    known = list_adapters()
    if not known:
        raise AdapterError("there is no adapter yet", f"train one: {TRAIN}")
    if name == "latest":
        return known[0]
    begun = [adapter for adapter in known if name and adapter.name.startswith(name)]
    if len(begun) == 1:
        return begun[0]
    if begun:
        raise AdapterError(
            f"{name!r} begins the names of {len(begun)} adapters",
            f"say more of it: {', '.join(adapter.name for adapter in begun)}",
        )
    names = [adapter.name for adapter in known]
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    raise AdapterError(
        f"there is no adapter {name!r}", f"{hint}known: {', '.join(names[:5])} (linguacodus adapters list)"
    )


def register(
    source: Path, fields: Mapping[str, Any], extra: Mapping[str, Path | bytes] | None = None
) -> Adapter:
    """Copy an adapter into the registry, whole or not at all.

    source: a folder with PEFT's files; everything in it is taken. fields: of the manifest, without created,
    code_version and files. extra: further files by name, as a path or as content. An adapter of that name
    that is whole stays as it is and is returned; a damaged one is replaced. Raises AdapterError for a folder
    that holds no adapter or a field that is wrong, StoreError on a full disk.
    """
    files = {path.relative_to(source).as_posix(): path for path in source.rglob("*") if path.is_file()}
    if missing := [name for name in (LORA_CONFIG, WEIGHTS) if name not in files]:
        raise AdapterError(f"{source} holds no adapter: it lacks {', '.join(missing)}", "train it again")
    content: dict[str, Path | bytes] = {**files, **(extra or {})}
    content.pop(MANIFEST, None)
    manifest = _described(fields)
    with alone():
        if known := _whole(manifest.name):
            return known
        with staged(root(), manifest.name) as stage:
            sums = {name: write(value, stage / name) for name, value in sorted(content.items())}
            whole = manifest.model_copy(update={"files": sums})
            write((whole.model_dump_json(indent=2) + "\n").encode(), stage / MANIFEST)
            for folder in {(stage / name).parent for name in sums} | {stage}:
                to_disk(folder)
            target = root() / manifest.name
            if target.exists():  # without a manifest, or damaged
                target.rename(stage.with_name(f"{stage.name}.old"))
            stage.rename(target)
            to_disk(root())
    return Adapter(whole)


def promote(name: str, *, force: bool = False) -> Adapter:
    """Make an adapter the promoted one, which profiles name as `adapter:promoted`.

    Raises GateRefused for one whose gate did not pass, saying by what, unless force; AdapterError for one
    that is unknown or whose files are not as its manifest says, which force does not overrule.
    """
    adapter = open_adapter(name)
    if problems := verify(adapter):
        raise AdapterError(
            f"the adapter {adapter.name} is damaged: {'; '.join(problems)}", "train it again, or copy it anew"
        )
    if not adapter.manifest.passed and not force:
        why = "; ".join(failed_checks(adapter.folder)) or adapter.manifest.summary or "no reason is kept"
        raise GateRefused(
            f"the adapter {adapter.name} did not pass its gate: {why}",
            "train a better one, or promote it all the same: "
            f"linguacodus adapters promote {adapter.name} --force",
        )
    made = Promotion(name=adapter.name, when=_now(), forced=not adapter.manifest.passed)
    with alone():
        before = promotions()
        after = Promotions(promoted=adapter.name, history=(*before.history, made))
        replace(root() / PROMOTED, (after.model_dump_json(indent=2) + "\n").encode())
    return adapter


def promoted() -> str | None:
    """The promoted adapter's name, None when none is. Raises AdapterError when the record is damaged."""
    return promotions().promoted


def promotions() -> Promotions:
    """Which adapter is promoted, and which were before. Raises AdapterError when the record is damaged."""
    path = root() / PROMOTED
    try:
        return Promotions.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Promotions()
    except (ValidationError, OSError) as error:
        said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise AdapterError(f"{path} is damaged: {said}", f"remove it, then: {_promotion_of_one()}") from error


def verify(adapter: Adapter, only: Collection[str] = ()) -> list[str]:
    """What is wrong with an adapter's files (or only with these): missing or changed; empty: all is well."""
    problems = []
    for name, sha256 in adapter.manifest.files.items():
        if only and name not in only:
            continue
        path = adapter.folder / name
        try:
            with path.open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
        except FileNotFoundError:
            problems.append(f"{name} is missing")
        except OSError as error:
            problems.append(f"{name} cannot be read: {error.strerror or error}")
        else:
            if found != sha256:
                problems.append(f"{name} has changed: its SHA-256 is not the manifest's")
    return problems


def _promoted() -> Adapter:
    name = promoted()
    if name is None:
        known = list_adapters()
        train = "" if known else f"{TRAIN}; "
        raise AdapterError("no adapter is promoted", f"{train}{_promotion_of_one()}")
    manifest = _manifest(name)
    if manifest is None:
        raise AdapterError(
            f"the promoted adapter {name} is gone: there is no {root() / name / MANIFEST}",
            f"bring its folder back, or promote another: {_promotion_of_one()}",
        )
    return Adapter(manifest)


def _promotion_of_one() -> str:
    names = [adapter.name for adapter in list_adapters()]
    return f"linguacodus adapters promote {names[0] if len(names) == 1 else 'NAME'}" + (
        f" (known: {', '.join(names[:5])})" if len(names) > 1 else ""
    )


def _manifest(name: str) -> Manifest | None:
    if not name or "/" in name or name.startswith("."):
        return None
    path = root() / name / MANIFEST
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValidationError, OSError) as error:
        problem = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
    else:
        if manifest.name == name:
            return manifest
        problem = f"it speaks of {manifest.name!r}"
    raise AdapterError(
        f"the manifest {path} is damaged: {problem}",
        "remove that folder and run the fine-tune again: what is done is kept",
    )


def _described(fields: Mapping[str, Any]) -> Manifest:
    made = {"created": _now(), "code_version": linguacodus_core.__version__}
    try:
        return Manifest.model_validate({**made, **fields, "files": {}})
    except ValidationError as error:
        first = error.errors()[0]
        raise AdapterError(
            f"the adapter's {'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix('Value error, ')}",
            "name the configuration with letters, digits, '.', '_' and '-'"
            if first["loc"] == ("name",)
            else "this is a bug",
        ) from error


def _whole(name: str) -> Adapter | None:
    try:
        manifest = _manifest(name)
    except AdapterError:
        return None
    return None if manifest is None or verify(Adapter(manifest)) else Adapter(manifest)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
