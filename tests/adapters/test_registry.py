import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from linguacodus_core.adapters import disk, registry
from linguacodus_core.adapters.manifest import LORA_CONFIG, WEIGHTS, root
from linguacodus_core.errors import AdapterError, GateRefused, StoreError
from tests.adapter_files import FIELDS, registered, write_files

ROOT = str(Path(__file__).parents[2])
pytestmark = pytest.mark.usefixtures("home")


def left_behind() -> list[str]:
    return [path.name for path in root().iterdir() if path.name.startswith(".")]


def test_a_registered_adapter_is_found_whole(tmp_path: Path) -> None:
    made = registered(tmp_path, "small-sft-0123abcd")
    found = registry.open_adapter("small-sft-0123abcd")
    assert found.manifest == made.manifest
    assert set(found.manifest.files) == {
        LORA_CONFIG,
        WEIGHTS,
        "tokenizer.json",
        "adapter.gguf",
        "metrics.json",
    }
    assert registry.verify(found) == []
    assert found.gguf == found.folder / "adapter.gguf"
    assert left_behind() == []


def test_the_manifest_is_written_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    write = disk.write
    monkeypatch.setattr(
        registry, "write", lambda content, target: (written.append(target.name), write(content, target))[1]
    )
    registered(tmp_path, "small-sft-0123abcd")
    assert written[-1] == "manifest.json"
    assert len(written) == 6


@pytest.mark.parametrize("broken", [1, 3, 6])
def test_a_full_disk_leaves_nothing_that_looks_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: int
) -> None:
    write, count = disk.write, iter(range(1, 100))

    def full(content: object, target: Path) -> str:
        if next(count) == broken:
            target.write_bytes(b"ha")
            raise OSError(28, "No space left on device")
        return write(content, target)  # type: ignore[arg-type]

    monkeypatch.setattr(registry, "write", full)
    with pytest.raises(StoreError, match="No space left"):
        registered(tmp_path, "small-sft-0123abcd")
    assert registry.list_adapters() == []
    assert list(root().iterdir()) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from linguacodus_core.adapters import registry
from tests.adapter_files import registered
write, count = registry.write, iter(range(1, 100))
def dying(content, target):
    if next(count) == int(sys.argv[2]):
        target.write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)
    return write(content, target)
registry.write = dying
registered(Path(sys.argv[1]), "small-sft-0123abcd")
"""


@pytest.mark.parametrize("at", [2, 6])
def test_a_kill_leaves_nothing_that_looks_whole_and_the_next_run_clears_up(tmp_path: Path, at: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), str(at)], cwd=ROOT, env=dict(os.environ)
    )
    assert done.returncode == -signal.SIGKILL
    assert len(left_behind()) == 1
    assert registry.list_adapters() == []
    registered(tmp_path, "small-sft-0123abcd")
    assert left_behind() == []
    assert [adapter.name for adapter in registry.list_adapters()] == ["small-sft-0123abcd"]


def test_a_whole_adapter_stays_and_a_damaged_one_is_replaced(tmp_path: Path) -> None:
    first = registered(tmp_path, "small-sft-0123abcd")
    again = registered(tmp_path, "small-sft-0123abcd", summary="another")
    assert again.manifest == first.manifest
    (first.folder / WEIGHTS).write_bytes(b"flipped")
    mended = registered(tmp_path, "small-sft-0123abcd", summary="another")
    assert mended.manifest.summary == "another"
    assert registry.verify(mended) == []
    assert left_behind() == []


def test_many_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    names = [f"small-sft-{number:08d}" for number in range(8)]
    failed: list[BaseException] = []

    def run(name: str) -> None:
        try:
            registered(tmp_path, name)
            registry.promote(name)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert {adapter.name for adapter in registry.list_adapters()} == set(names)
    history = registry.promotions().history
    assert sorted(entry.name for entry in history) == names
    assert registry.promoted() == history[-1].name


def test_a_folder_without_an_adapter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(AdapterError, match=r"lacks adapter_config.json, adapter_model.safetensors"):
        registry.register(tmp_path / "empty", {**FIELDS, "name": "a"})


@pytest.mark.parametrize(
    "name", ["", "a/b", "../up", ".hidden", "latest", "promoted", "two words", "x" * 121]
)
def test_a_name_that_is_no_folder_is_refused(tmp_path: Path, name: str) -> None:
    source = write_files(tmp_path / "source")
    with pytest.raises(AdapterError, match="name"):
        registry.register(source, {**FIELDS, "name": name})
    assert not root().exists()


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    fields = {key: value for key, value in FIELDS.items() if key != "base"}
    with pytest.raises(AdapterError, match="base"):
        registry.register(write_files(tmp_path / "source"), {**fields, "name": "a"})


def test_adapters_are_opened_by_beginnings_and_by_latest(tmp_path: Path) -> None:
    registered(tmp_path, "small-sft-0123abcd", created="2026-01-01T00:00:00+00:00")
    registered(tmp_path, "small-dpo-0123abcd", kind="dpo", created="2026-01-02T00:00:00+00:00")
    registered(tmp_path, "big-sft-4567abcd", created="2026-01-03T00:00:00+00:00")
    assert registry.open_adapter("latest").name == "big-sft-4567abcd"
    assert registry.open_adapter("big").name == "big-sft-4567abcd"
    with pytest.raises(AdapterError, match="begins the names of 2 adapters"):
        registry.open_adapter("small-")
    with pytest.raises(AdapterError, match=r"did you mean small-sft-0123abcd\?"):
        registry.open_adapter("smal-sft-0123abcd")
    with pytest.raises(AdapterError, match="no adapter ''"):
        registry.open_adapter("")


def test_without_any_adapter_the_fine_tune_is_named() -> None:
    for name in ("latest", "small", "promoted"):
        with pytest.raises(AdapterError, match="linguacodus finetune"):
            registry.open_adapter(name)


def test_a_damaged_manifest_is_left_out_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = registered(tmp_path, "good-sft-0123abcd")
    bad = registered(tmp_path, "torn-sft-0123abcd")
    moved = registered(tmp_path, "moved-sft-0123abcd")
    (bad.folder / "manifest.json").write_text('{"name": ')
    moved.folder.rename(root() / "other-name")
    (root() / "no-manifest").mkdir()
    with caplog.at_level("WARNING"):
        assert [adapter.name for adapter in registry.list_adapters()] == [good.name]
    assert "torn-sft-0123abcd" in caplog.text
    assert "it speaks of 'moved-sft-0123abcd'" in caplog.text
    with pytest.raises(AdapterError, match="is damaged"):
        registry.open_adapter("torn-sft-0123abcd")


def test_verify_tells_what_is_missing_and_what_has_changed(tmp_path: Path) -> None:
    adapter = registered(tmp_path, "small-sft-0123abcd")
    (adapter.folder / "tokenizer.json").unlink()
    (adapter.folder / WEIGHTS).write_bytes(b"flipped")
    problems = registry.verify(adapter)
    assert any("tokenizer.json is missing" in problem for problem in problems)
    assert any(f"{WEIGHTS} has changed" in problem for problem in problems)
    assert len(problems) == 2


def test_the_promoted_adapter_is_kept_with_those_before_it(tmp_path: Path) -> None:
    registered(tmp_path, "small-sft-0123abcd")
    registered(tmp_path, "big-sft-4567abcd", passed=False)
    assert registry.promoted() is None
    registry.promote("small")
    assert registry.open_adapter("promoted").name == "small-sft-0123abcd"
    with pytest.raises(GateRefused, match=r"form: 0\.10 worse") as caught:
        registry.promote("big")
    assert "completion loss" not in caught.value.problem
    assert "--force" in caught.value.remedy
    assert registry.promoted() == "small-sft-0123abcd"
    registry.promote("big", force=True)
    assert registry.promoted() == "big-sft-4567abcd"
    history = registry.promotions().history
    assert [(entry.name, entry.forced) for entry in history] == [
        ("small-sft-0123abcd", False),
        ("big-sft-4567abcd", True),
    ]


def test_force_does_not_promote_a_damaged_adapter(tmp_path: Path) -> None:
    adapter = registered(tmp_path, "small-sft-0123abcd")
    (adapter.folder / WEIGHTS).write_bytes(b"flipped")
    with pytest.raises(AdapterError, match="is damaged"):
        registry.promote(adapter.name, force=True)
    assert registry.promoted() is None


def test_a_promoted_adapter_that_is_gone_is_told(tmp_path: Path) -> None:
    adapter = registered(tmp_path, "small-sft-0123abcd")
    registered(tmp_path, "big-sft-4567abcd")
    registry.promote(adapter.name)
    adapter.folder.rename(tmp_path / "elsewhere")
    with pytest.raises(AdapterError, match="small-sft-0123abcd is gone") as caught:
        registry.open_adapter("promoted")
    assert "linguacodus adapters promote big-sft-4567abcd" in caught.value.remedy


@pytest.mark.parametrize("content", ["{", json.dumps({"promoted": 3}), json.dumps({"promotd": "x"})])
def test_a_damaged_record_of_promotions_is_told(tmp_path: Path, content: str) -> None:
    registered(tmp_path, "small-sft-0123abcd")
    (root() / "promoted.json").write_text(content)
    with pytest.raises(AdapterError, match=r"promoted\.json is damaged"):
        registry.open_adapter("promoted")


def test_the_registry_imports_nothing_heavy() -> None:
    code = (
        "import sys, linguacodus_core.adapters.registry\n"
        "heavy = {'torch', 'transformers', 'peft', 'openai', 'prefect', 'xllamacpp'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
