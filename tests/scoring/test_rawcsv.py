"""What untrusted programs write is read only as far as the sample submission can need."""

from pathlib import Path

import pandas as pd
import pytest

from linguacodus_core.errors import SubmissionInvalid
from linguacodus_core.scoring.rawcsv import room_for
from linguacodus_core.scoring.soft import read_soft
from linguacodus_core.scoring.submission import validate

MOST = 20 << 20


def test_room_grows_with_the_sample() -> None:
    small = pd.DataFrame({"id": ["1", "2"], "y": ["0", "0"]})
    assert 16 << 20 < room_for(small) < 17 << 20
    large = pd.DataFrame({"id": [f"{row:08d}" for row in range(100_000)], "y": "0.5"})
    assert room_for(large) > 100_000 * 1_000
    assert room_for(small, cells=10_000_000) > 1_000_000_000


def test_a_huge_submission_is_refused_unread(tmp_path: Path, binary_task) -> None:
    spec = binary_task()
    sample = pd.read_csv(spec.data / spec.sample_file, dtype=str)
    path = tmp_path / "submission.csv"
    with path.open("wb") as file:
        file.truncate(MOST)
    with pytest.raises(SubmissionInvalid, match=r"submission.csv has 20,971,520 bytes, at most 16,"):
        validate(path, spec, sample)


def test_a_submission_of_a_million_columns_is_refused_unparsed(tmp_path: Path, binary_task) -> None:
    spec = binary_task()
    sample = pd.read_csv(spec.data / spec.sample_file, dtype=str)
    path = tmp_path / "submission.csv"
    path.write_text("," * 1_000_000 + "\n1\n")
    with pytest.raises(SubmissionInvalid, match="has 1,000,001 columns, at most 1,020 are read"):
        validate(path, spec, sample)


def test_huge_soft_predictions_are_of_no_use(tmp_path: Path, binary_task) -> None:
    spec = binary_task(prediction="label", metric="f1")
    sample = pd.read_csv(spec.data / spec.sample_file, dtype=str)
    path = tmp_path / "soft.csv"
    sample.to_csv(path, index=False)
    made = validate(path, spec, sample)
    assert read_soft(path, spec, sample, made) is not None
    with path.open("a") as file:
        file.write("\n" * MOST)
    assert read_soft(path, spec, sample, made) is None
