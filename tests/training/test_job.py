import threading
import time
from pathlib import Path

import pytest

from linguacodus_core import store
from linguacodus_core.errors import TrainingError
from linguacodus_core.training.job import Job, alone, open_job
from tests.training.jobs import job_in


def test_a_job_is_read_back_wherever_its_folder_was_moved(tmp_path: Path) -> None:
    job = job_in(tmp_path / "one")
    (tmp_path / "one").rename(tmp_path / "two")
    moved = open_job(tmp_path / "two")
    assert moved.folder == (tmp_path / "two").resolve()
    assert moved == job.model_copy(update={"folder": moved.folder})
    assert Job.model_validate_json(moved.model_dump_json()) == moved
    assert Job.model_validate(moved.model_dump(mode="json")) == moved


def test_what_has_no_record_is_no_job(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"it has no job\.json"):
        open_job(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"config": {"name": "x"}}'])
def test_a_damaged_record_is_one_clear_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "job.json").write_text(content)
    with pytest.raises(TrainingError, match=r"job\.json is damaged"):
        open_job(tmp_path)


def test_a_stage_is_done_once_its_record_stands(tmp_path: Path) -> None:
    job = job_in(tmp_path)
    assert job.done("sft") is None
    store.write_json(job.stage("sft") / "finished.json", {"steps": 3})
    assert job.done("sft") == {"steps": 3}
    (job.stage("sft") / "finished.json").write_text("{")
    with pytest.raises(TrainingError, match=r"finished\.json is damaged"):
        job.done("sft")
    with pytest.raises(KeyError):
        job.stage("rest")


def test_a_damaged_table_is_one_clear_error(tmp_path: Path) -> None:
    job = job_in(tmp_path)
    (tmp_path / "train.parquet").write_bytes(b"nonsense")
    with pytest.raises(TrainingError, match=r"train\.parquet is damaged"):
        job.table("train")


def test_an_adapters_name_says_configuration_stage_and_key(tmp_path: Path) -> None:
    assert job_in(tmp_path).adapter_name("sft") == "small-sft-01234567"


def test_a_second_process_waits_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    order: list[str] = []

    def second() -> None:
        with alone(tmp_path):
            order.append("second")

    with caplog.at_level("INFO", logger="linguacodus"):
        with alone(tmp_path):
            waiting = threading.Thread(target=second)
            waiting.start()
            until = time.monotonic() + 10
            while "another process" not in caplog.text and time.monotonic() < until:
                time.sleep(0.01)
            order.append("first")
        waiting.join(10)
    assert order == ["first", "second"]
    assert caplog.text.count("another process works on this fine-tune") == 1
