import os
from pathlib import Path

import pytest

from linguacodus_core.errors import ModelUnavailable, TrainingError
from linguacodus_core.training.base import absolute, identity, kind_of


def model(folder: Path, weights: bytes = b"w" * 200_000) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "model.safetensors").write_bytes(weights)
    return folder


def test_what_a_spec_names() -> None:
    assert kind_of("embedded:smollm2-135m-instruct-q4_1") == "embedded"
    assert kind_of("meta-llama/Llama-2-7b-chat-hf") == "hub"
    with pytest.raises(TrainingError, match="names no base model"):
        kind_of("llama")
    with pytest.raises(TrainingError) as caught:
        kind_of("smollm2-135m-instruct-q4_1")
    assert caught.value.remedy == "write embedded:smollm2-135m-instruct-q4_1"


def test_a_folder_that_is_not_there_is_no_hub_name(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="there is no folder"):
        kind_of(str(tmp_path / "base"))
    assert kind_of(str(model(tmp_path / "base"))) == "folder"


def test_a_folders_identity_is_its_content_not_its_place(tmp_path: Path) -> None:
    here, there = model(tmp_path / "a/base"), model(tmp_path / "b/base")
    other = model(tmp_path / "c/base", b"w" * 199_999 + b"x")
    assert identity(str(here)) == identity(str(there)) != identity(str(other))
    assert identity(str(here)).startswith("base@")


def test_a_folder_without_weights_is_no_base(tmp_path: Path) -> None:
    folder = model(tmp_path / "base")
    (folder / "model.safetensors").unlink()
    with pytest.raises(TrainingError, match=r"it has no \*\.safetensors"):
        identity(str(folder))
    (folder / "config.json").unlink()
    with pytest.raises(TrainingError, match=r"it has no config\.json"):
        identity(str(folder))


def test_names_are_their_own_identity() -> None:
    assert identity("owner/name") == "owner/name"
    assert identity("embedded:smollm2-135m-instruct-q4_1") == "smollm2-135m-instruct-q4_1"
    with pytest.raises(ModelUnavailable, match="no embedded model is called"):
        identity("embedded:nonesuch")


def test_a_path_holds_in_every_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = model(tmp_path / "base")
    monkeypatch.chdir(tmp_path)
    assert absolute(f".{os.sep}base") == str(folder.resolve())
    assert absolute("embedded:./x.gguf") == f"embedded:{tmp_path.resolve() / 'x.gguf'}"
    assert absolute("owner/name") == "owner/name"
    assert absolute("embedded:smollm2") == "embedded:smollm2"
