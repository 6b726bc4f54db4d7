import gzip
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linguacodus_core.errors import TaskError
from linguacodus_core.taskfolder import frames
from linguacodus_core.taskfolder.frames import find_table, read_csv, read_table

EXPECTED = pd.DataFrame({"id": [1, 2], "name": ["Zoë", "Jürgen"], "x": [0.5, 1.5]})
PLAIN = "id,name,x\n1,Zoë,0.5\n2,Jürgen,1.5\n"


def written(tmp_path: Path, content: bytes, name: str = "train.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"]
)
def test_every_usual_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    pd.testing.assert_frame_equal(read_csv(written(tmp_path, PLAIN.encode(encoding))), EXPECTED)


def test_a_late_latin_1_character_is_found_too(tmp_path: Path) -> None:
    rows = "".join(f"{i},plain,1.0\n" for i in range(20_000))
    frame, dialect = read_table(written(tmp_path, b"id,name,x\n" + rows.encode() + b"7,Zo\xeb,1.0\n"))
    assert frame["name"].iloc[-1] == "Zoë"
    assert dialect.encoding == "cp1252"


def test_bytes_that_windows_does_not_know_are_read_as_latin_1(tmp_path: Path) -> None:
    assert len(read_csv(written(tmp_path, b"id,name\n1,\x81\xeb\n"))) == 1


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_are_sniffed(tmp_path: Path, delimiter: str) -> None:
    pd.testing.assert_frame_equal(
        read_csv(written(tmp_path, PLAIN.replace(",", delimiter).encode())), EXPECTED
    )


def test_decimal_commas_are_read_as_numbers(tmp_path: Path) -> None:
    assert read_csv(written(tmp_path, b"id;x\n1;0,5\n2;1,5\n"))["x"].tolist() == [0.5, 1.5]


def test_semicolons_inside_text_do_not_make_a_semicolon_file(tmp_path: Path) -> None:
    assert list(read_csv(written(tmp_path, b"id,text\n1,a;b;c\n2,d;e\n")).columns) == ["id", "text"]


def test_quoted_fields_may_hold_delimiters_and_line_breaks(tmp_path: Path) -> None:
    frame = read_csv(written(tmp_path, b'id,text\n1,"a,\nb"\n2,c\n'))
    assert frame["text"].tolist() == ["a,\nb", "c"]


def test_a_single_column_is_a_table(tmp_path: Path) -> None:
    assert read_csv(written(tmp_path, b"id\na.jpg\nb.jpg\n"))["id"].tolist() == ["a.jpg", "b.jpg"]


def test_nrows_limits_the_rows(tmp_path: Path) -> None:
    assert len(read_csv(written(tmp_path, PLAIN.encode()), nrows=1)) == 1


def test_gzip_and_zip_are_read(tmp_path: Path) -> None:
    zipped = tmp_path / "train.csv.gz"
    zipped.write_bytes(gzip.compress(PLAIN.encode()))
    with zipfile.ZipFile(tmp_path / "train.csv.zip", "w") as archive:
        archive.writestr("train.csv", PLAIN)
        archive.writestr("__MACOSX/._train.csv", "x")
    pd.testing.assert_frame_equal(read_csv(zipped), EXPECTED)
    pd.testing.assert_frame_equal(read_csv(tmp_path / "train.csv.zip"), EXPECTED)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(32)) * 20, "binary"),
        (b"PK\x03\x04" + b"x" * 100, "zip archive or an Excel workbook"),
        (b"\x1f\x8b" + b"x" * 100, "compressed with gzip"),
        (b"PAR1" + b"x" * 100, "Parquet"),
        (b"a,b\n1,2\n3,4,5\n", "line 3: 3 fields, but the header has 2"),
        (b"a,b\n1,2,3\n3,4,5\n", "line 2: 3 fields, but the header has 2"),
        (b"a,b,c\n1,2,3\n4,5\n", "line 3: 2 fields, but the header has 3"),
        (b'a,b\n1,"x\n2,3\n', "quotation mark"),
    ],
)
def test_a_file_that_is_no_table_is_named_with_a_remedy(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(TaskError) as caught:
        read_csv(written(tmp_path, content))
    assert said in caught.value.problem
    assert "train.csv" in caught.value.problem
    assert caught.value.remedy


def test_missing_last_values_are_no_ragged_lines(tmp_path: Path) -> None:
    assert read_csv(written(tmp_path, b"a,b\n1,\n2,3\n\n"))["b"].isna().tolist() == [True, False]


@pytest.mark.parametrize("name", ["train.csv.gz", "train.csv.zip"])
def test_a_damaged_archive_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(TaskError, match="damaged"):
        read_csv(written(tmp_path, b"id,x\n1,2\n", name))


def test_a_gzip_file_cut_short_is_named(tmp_path: Path) -> None:
    whole = gzip.compress(PLAIN.encode() * 500)
    with pytest.raises(TaskError, match="damaged"):
        read_csv(written(tmp_path, whole[: len(whole) // 2], "train.csv.gz"))


def test_a_zip_of_several_tables_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "train.csv.zip", "w") as archive:
        archive.writestr("a.csv", PLAIN)
        archive.writestr("b.csv", PLAIN)
    with pytest.raises(TaskError, match="2 CSV files"):
        read_csv(tmp_path / "train.csv.zip")


def test_a_missing_file_and_a_folder_are_said(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="does not exist"):
        read_csv(tmp_path / "none.csv")
    (tmp_path / "train.csv").mkdir()
    with pytest.raises(TaskError, match="is a folder"):
        read_csv(tmp_path / "train.csv")


def test_a_file_without_read_permission_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = written(tmp_path, PLAIN.encode())
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(TaskError, match="may not be read") as caught:
        read_csv(path)
    assert "chmod" in caught.value.remedy


@pytest.mark.parametrize(
    ("file", "table"),
    [
        ("train.csv", "train"),
        ("Train.CSV", "train"),
        ("train.csv.gz", "train"),
        ("TEST.csv.zip", "test"),
        ("sample_submission.csv", "sample"),
        ("sampleSubmission.csv", "sample"),
        ("SampleSubmission.csv.gz", "sample"),
        ("sample-submission.csv", "sample"),
        ("gender_submission.csv", "sample"),
        ("submission_format.csv", "sample"),
    ],
)
def test_tables_are_found_under_their_usual_names(tmp_path: Path, file: str, table: frames.Table) -> None:
    (tmp_path / file).write_bytes(b"id\n1\n")
    (tmp_path / "other.csv").write_bytes(b"id\n1\n")
    assert find_table(tmp_path, table).name == file


def test_a_plain_table_goes_before_its_compressed_twin(tmp_path: Path) -> None:
    for name in ("train.csv.gz", "train.csv"):
        (tmp_path / name).write_bytes(b"id\n1\n")
    assert find_table(tmp_path, "train").name == "train.csv"


def test_a_missing_table_says_what_is_there_and_what_to_rename(tmp_path: Path) -> None:
    (tmp_path / "training_set.csv").write_bytes(b"id\n1\n")
    with pytest.raises(TaskError, match=r"has no train.csv \(there is: training_set.csv\)") as caught:
        find_table(tmp_path, "train")
    assert "rename training_set.csv to train.csv" in caught.value.remedy


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(
        st.binary(max_size=200),
        st.text(alphabet='ab1,;\t"\n\r\x00\ufeffé ', max_size=80).map(str.encode),
        st.text(alphabet='ab1,;"\n', max_size=80).map(lambda text: text.encode("utf-16")),
    ),
    name=st.sampled_from(["train.csv", "train.csv.gz", "train.csv.zip"]),
)
def test_any_bytes_end_in_a_table_or_a_clear_message(tmp_path: Path, content: bytes, name: str) -> None:
    outcome: pd.DataFrame | TaskError
    try:
        outcome = read_csv(written(tmp_path, content, name))
    except TaskError as error:
        outcome = error
    if isinstance(outcome, TaskError):
        assert name in outcome.problem
        assert outcome.remedy
    else:
        assert len(outcome.columns) >= 1
