"""Where a base comes from, and that none is half there."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers", reason="the training extra is not installed")
pytest.importorskip("gguf", reason="the training extra is not installed")

from linguacodus_core.errors import StoreError, TrainingError
from linguacodus_core.trainer import base
from linguacodus_core.trainer.load import sketch
from tests.trainer.conftest import MakeJob

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def gguf_file(tmp_path: Path) -> Path:
    file = tmp_path / "small.gguf"
    file.write_bytes(b"GGUF" + bytes(2000))
    return file


def test_a_folder_is_taken_as_it_is(tiny: Path, make_job: MakeJob) -> None:
    job = make_job(tiny)
    base.run(job)
    done = job.done("base")
    assert done is not None
    assert done["folder"] == str(tiny)
    assert done["architecture"] == "llama"
    assert done["identity"] == job.base_identity
    assert done["identity"].startswith("tiny-llama@")
    assert done["parameters"] == sketch(tiny).parameters > 100_000
    assert base.folder_of(job) == tiny


@pytest.mark.parametrize(
    ("without", "said"),
    [("model.safetensors", "holds no base model"), ("tokenizer.json", "a model without its tokenizer")],
)
def test_a_folder_that_lacks_something_is_refused(
    tiny: Path, tmp_path: Path, without: str, said: str
) -> None:
    shutil.copytree(tiny, tmp_path / "copy")
    (tmp_path / "copy" / without).unlink()
    with pytest.raises(TrainingError, match=said):
        base.materialise(str(tmp_path / "copy"))


def test_an_architecture_that_is_not_known_is_said(tiny: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny, tmp_path / "copy")
    config = tmp_path / "copy" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"model_type": "abacus"}))
    with pytest.raises(TrainingError, match="no causal language model that transformers knows"):
        sketch(tmp_path / "copy")


def test_a_base_that_went_away_is_said(tiny: Path, tmp_path: Path, make_job: MakeJob) -> None:
    shutil.copytree(tiny, tmp_path / "copy")
    job = make_job(tmp_path / "copy")
    with pytest.raises(TrainingError, match="is not prepared"):
        base.folder_of(job)
    base.run(job)
    shutil.rmtree(tmp_path / "copy")
    with pytest.raises(TrainingError, match="is gone"):
        base.folder_of(job)


def test_a_hub_model_without_a_network_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(TrainingError, match="nobody/no-such-model is not on this machine"):
        base.materialise("nobody/no-such-model")


def test_an_embedded_base_is_converted_once(
    gguf_file: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    calls = []

    def convert(file: Path, folder: Path) -> None:
        calls.append(file)
        shutil.copytree(tiny, folder)

    monkeypatch.setattr(base, "_convert", convert)
    first = base.materialise(f"embedded:{gguf_file}")
    assert base.materialise(f"embedded:{gguf_file}") == first
    assert calls == [gguf_file]
    assert first.parent == home / "bases"
    assert (first / "config.json").is_file()


def test_a_conversion_that_breaks_off_leaves_nothing_that_looks_whole(
    gguf_file: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    def full(file: Path, folder: Path) -> None:
        folder.mkdir()
        (folder / "config.json").write_text("{}")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(base, "_convert", full)
        with pytest.raises(StoreError, match="No space left"):
            base.materialise(f"embedded:{gguf_file}")
    assert not [path for path in (home / "bases").iterdir() if path.is_dir()]

    killed = home / "bases" / base.identity(f"embedded:{gguf_file}")
    killed.mkdir()  # without the mark that is written last
    (killed / "config.json").write_text("{}")
    monkeypatch.setattr(base, "_convert", lambda file, folder: shutil.copytree(tiny, folder))
    assert json.loads((base.materialise(f"embedded:{gguf_file}") / "config.json").read_text())["model_type"]


def test_two_of_a_kind_do_not_convert_at_once(
    gguf_file: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    calls: list[Any] = []

    def convert(file: Path, folder: Path) -> None:
        calls.append(file)
        shutil.copytree(tiny, folder)

    monkeypatch.setattr(base, "_convert", convert)
    with ThreadPoolExecutor(4) as pool:
        folders = set(pool.map(lambda _: base.materialise(f"embedded:{gguf_file}"), range(4)))
    assert len(folders) == 1
    assert len(calls) == 1
