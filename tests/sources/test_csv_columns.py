"""CSV columns are found under every spelling, and nothing that cannot be read goes unnoticed."""

import gzip
from pathlib import Path

import pytest

from linguacodus_core.errors import CorpusError
from linguacodus_core.sources import csv_columns
from linguacodus_core.sources.csv_columns import Column, CsvColumns, find_file

COLUMNS = (Column("key", ("id",), required=True), Column("text", ("data_type", "content"), required=True))


def read(path: Path, content: bytes | str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    file = CsvColumns(path, COLUMNS, "things")
    table = file.table_of_text()
    rows = list(zip(table["key"].to_pylist(), table["text"].to_pylist(), strict=True))
    return rows, [(each["table"], each["reason"]) for each in file.problems]


@pytest.mark.parametrize(
    "spelling", ["text", "Text", " TEXT ", "DataType", "data type", "Data_Type", "content"]
)
def test_case_spaces_and_known_names_do_not_matter(tmp_path: Path, spelling: str) -> None:
    assert read(tmp_path / "a.csv", f",{spelling},ID\n0,x,1\n") == ([("1", "x")], [])


def test_the_earlier_spelling_wins(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", "content,id,text,key\na,b,c,d\n")[0] == [("d", "c")]


def test_a_missing_column_is_named_with_those_found_and_those_accepted(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("key,body\n1,x\n")
    with pytest.raises(CorpusError) as caught:
        CsvColumns(path, COLUMNS, "things")
    assert "a.csv has no column 'text'; it has 'key', 'body'" in caught.value.problem
    assert caught.value.remedy == "text may also be spelled data_type, content"


def test_a_missing_usual_column_is_null_and_remarked(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("key\n1\n")
    file = CsvColumns(path, (COLUMNS[0], Column("votes"), Column("rank", usual=False)), "things")
    assert file.table_of_text().to_pylist() == [{"key": "1", "votes": None, "rank": None}]
    assert [(each["table"], each["reason"], each["detail"]) for each in file.problems] == [
        ("note", "column missing", "votes")
    ]


def test_cells_are_text_whatever_they_look_like(tmp_path: Path) -> None:
    rows, problems = read(tmp_path / "a.csv", "key,text\n001,NA\n1.0,\n1e5,true\n")
    assert (rows, problems) == ([("001", "NA"), ("1.0", ""), ("1e5", "true")], [])


def test_cells_may_have_lines_commas_and_quotes(tmp_path: Path) -> None:
    rows, problems = read(tmp_path / "a.csv", 'key,text\r\n1,"a, ""b""\n\nc"\r\n2,"x\r\ny"\r\n')
    assert (rows, problems) == ([("1", 'a, "b"\n\nc'), ("2", "x\r\ny")], [])


def test_cells_may_reach_over_the_blocks_that_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_columns, "_BLOCK_BYTES", 1_000)
    lines = "\n".join(f'{number},"{number}\n{"x" * 700}"' for number in range(20))
    rows, problems = read(tmp_path / "a.csv", f"key,text\n{lines}\n")
    assert (
        [key for key, _ in rows] == [text.split("\n")[0] for _, text in rows] == [str(n) for n in range(20)]
    )
    assert problems == []


def test_a_row_larger_than_a_block_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_columns, "_BLOCK_BYTES", 1_000)
    with pytest.raises(CorpusError, match=r"a.csv cannot be read as CSV: a row is larger"):
        read(tmp_path / "a.csv", f'key,text\n1,"{"x" * 5_000}"\n2,y\n')


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_gz_and_a_byte_order_mark(tmp_path: Path, mark: bytes) -> None:
    content = gzip.compress(mark + "key,text\n1,ä\n".encode())
    assert read(tmp_path / "a.csv.gz", content) == ([("1", "ä")], [])


def test_rows_with_a_wrong_number_of_cells_are_left_out_and_reported(tmp_path: Path) -> None:
    rows, problems = read(tmp_path / "a.csv", "key,text\n1,x\n2\n3,y,z\n4,w\n")
    assert rows == [("1", "x"), ("4", "w")]
    assert problems == [("things", "wrong number of cells")] * 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_rows_with_a_wrong_number_of_cells_that_are_no_utf8_either_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="Row #3: Expected 2 columns, got 3"):
        read(tmp_path / "a.csv", b"key,text\n1,x\n3,y,z\xff\n4,w\n")


def test_rows_that_are_no_utf8_are_left_out_and_reported(tmp_path: Path) -> None:
    rows, problems = read(tmp_path / "a.csv", b"key,text\n1,x\n2,\xff\xfe\n3,y\n")
    assert (rows, problems) == ([("1", "x"), ("3", "y")], [("things", "bytes that are no UTF-8")])


def test_rows_with_nul_bytes_are_left_out_and_reported(tmp_path: Path) -> None:
    rows, problems = read(tmp_path / "a.csv", b"key,text\n1,x\n2,a\0b\n\0,z\n3,y\n")
    assert (rows, problems) == ([("1", "x"), ("3", "y")], [("things", "NUL bytes")] * 2)


def test_a_file_cut_within_a_quoted_cell_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="odd number of double quotes") as caught:
        read(tmp_path / "a.csv", 'key,text\n1,x\n2,"import num')
    assert "download the file again" in caught.value.remedy


def test_a_file_without_a_last_line_end_is_remarked(tmp_path: Path) -> None:
    rows, problems = read(tmp_path / "a.csv", "key,text\n1,x\n2,import num")
    assert rows[-1] == ("2", "import num")
    assert problems == [("note", "no line end after the last row")]


def test_a_cut_gz_is_an_error(tmp_path: Path) -> None:
    lines = "".join(f"{number},{number * 7919 % 104729}\n" for number in range(200_000))
    content = gzip.compress(f"key,text\n{lines}".encode())
    with pytest.raises(CorpusError, match=r"a\.csv\.gz cannot be read"):
        read(tmp_path / "a.csv.gz", content[:-1_000])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        ("key,text\n1,x\n".encode("utf-16"), "does not begin with a line of column names in UTF-8"),
        (b"key;text\n1;x\n", "has no column 'key' and no column 'text'; it has 'key;text'"),
    ],
)
def test_a_file_that_is_no_such_csv_is_an_error(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        read(tmp_path / "a.csv", content)


def test_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", "key,text\n") == ([], [])


def test_reading_again_gives_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("key,text\n1,x\n2\n")
    file = CsvColumns(path, COLUMNS, "things")
    assert file.table_of_text() == file.table_of_text()
    assert len(file.problems) == 1


@pytest.mark.parametrize(
    ("names", "chosen", "unread"),
    [
        (["blocks.csv", "blocks_clean.csv"], "blocks.csv", ["blocks_clean.csv"]),
        (["blocks.csv.gz"], "blocks.csv.gz", []),
        (["blocks_2.csv", "other.csv"], "blocks_2.csv", []),
        (["old_blocks.csv"], "old_blocks.csv", []),
        (["blocks.csv", "old_blocks.csv"], "blocks.csv", []),
        (["other.csv", "blocks.txt"], None, []),
    ],
)
def test_a_file_is_found_by_how_its_name_begins(
    tmp_path: Path, names: list[str], chosen: str | None, unread: list[str]
) -> None:
    for name in names:
        (tmp_path / name).write_text("")
    path, others = find_file(tmp_path, ("blocks", "old_blocks"))
    assert (path.name if path else None, [each.name for each in others]) == (chosen, unread)


@pytest.mark.parametrize("names", [["blocks_1.csv", "blocks_2.csv"], ["blocks.csv", "blocks.csv.gz"]])
def test_several_files_for_one_role_are_an_error(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text("")
    with pytest.raises(CorpusError, match=r"2 files that could be blocks\.csv: " + ", ".join(names)):
        find_file(tmp_path, ("blocks",))
