"""A Code4ML release, in any of its spellings, becomes the three tables; nothing goes unnoticed."""

import csv
import gzip
import io
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from linguacodus_core.errors import CorpusError
from linguacodus_core.sources import csv_columns
from linguacodus_core.sources.code4ml import Code4MLSource
from linguacodus_core.tables import DATASET

Rows = Sequence[Sequence[object]]
BLOCKS: Rows = [
    ["", "kernel_id", "code_block_id", "code_block"],
    [0, 11, 0, "import numpy as np\nimport pandas as pd"],
    [1, 11, 1, 'x = "a, b"'],
    [2, 22, 0, "fit()"],
]
KERNELS: Rows = [
    ["", "kernel_id", "comp_name", "kaggle_score", "kaggle_comments", "kaggle_upvotes", "kernel_link"],
    [0, 11, "titanic", 0.78, 3, 12, "/me/mine"],
    [1, 22, "Bike Sharing Demand", "nan", "", "4.0", "https://www.kaggle.com/you/yours"],
]
COMPETITIONS: Rows = [
    ["comp_name", "ref_link", "comp_type", "description", "metric", "data type", "subject", "problem type"],
    [
        "titanic",
        "https://www.kaggle.com/c/titanic",
        "gettingStarted",
        "Who\nsurvived?",
        "accuracy",
        "tabular",
        "people",
        "classification",
    ],
    [
        "Bike Sharing Demand",
        "/c/bike",
        "playground",
        "How many?",
        "RMSLE",
        "Tabular; time series",
        "",
        "regression",
    ],
]
MARKUP: Rows = [
    ["", "code_block", "too_long", "marks", "graph_vertex_id"],
    [0, "fit()", "No", 3, 7.0],
    [1, "fit()", "No", 5, 45.0],
    [2, "show()", "No", 4, 41.0],
    [3, "unsure()", "No", 4, ""],
]
VERTICES: Rows = [
    ["id", "graph_vertex", "graph_vertex_subclass"],
    [7, "Model_Train", "train_model"],
    [45, "Data_Extraction", "load_from_csv"],
]


def write(path: Path, rows: Rows) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    content = text.getvalue().encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "code_blocks.csv", BLOCKS)
    write(tmp_path / "kernels_meta.csv", KERNELS)
    write(tmp_path / "competitions_meta.csv", COMPETITIONS)
    return tmp_path


def blocks(source: Code4MLSource) -> list[dict[str, object]]:
    return pa.Table.from_batches(source.blocks(), schema=DATASET["code_blocks"]).to_pylist()


def dropped(source: Code4MLSource) -> list[tuple[str, str, str]]:
    return [(row["table"], row["row"], row["reason"]) for row in source.unreadable().to_pylist()]


def test_a_release_becomes_the_three_tables(folder: Path) -> None:
    source = Code4MLSource(folder)
    assert source.name == "code4ml"
    assert [source.competitions().schema, source.kernels().schema] == [
        DATASET["competitions"],
        DATASET["kernels"],
    ]
    titanic, bike = source.competitions().to_pylist()
    assert {key: value for key, value in titanic.items() if value is not None} == {
        "competition": "titanic",
        "description": "Who\nsurvived?",
        "link": "https://www.kaggle.com/c/titanic",
        "data_types": ["tabular"],
        "metric_name": "accuracy",
        "tags": ["gettingStarted", "people", "classification"],
    }
    assert (bike["title"], bike["data_types"], bike["tags"]) == (
        "Bike Sharing Demand",
        ["Tabular", "time series"],
        ["playground", "regression"],
    )
    first, second = source.kernels().to_pylist()
    assert first == {
        "kernel": "11",
        "competition": "titanic",
        "title": None,
        "link": "https://www.kaggle.com/me/mine",
        "language": "python",
        "kind": "notebook",
        "score": 0.78,
        "listed": None,
        "stated_score": None,
        "votes": 12,
        "comments": 3,
    }
    assert (second["score"], second["votes"], second["comments"]) == (None, 4, None)
    assert blocks(source) == [
        {"kernel": "11", "block": 0, "kind": "code", "code": BLOCKS[1][3], "label": None},
        {"kernel": "11", "block": 1, "kind": "code", "code": 'x = "a, b"', "label": None},
        {"kernel": "22", "block": 0, "kind": "code", "code": "fit()", "label": None},
    ]
    assert dropped(source) == []


def test_other_spellings_of_files_and_columns(tmp_path: Path) -> None:
    write(
        tmp_path / "code_blocks_clean.csv.gz",
        [["kaggle_id", "Code Block", "code-block-id"], ["5.0", "a", "0.0"]],
    )
    write(
        tmp_path / "kernels_meta2.csv",
        [["Kernel_ID", "Competition", "rank", "votes", "kaggle_link"], [5, "c", 2, 9, "/a/b"]],
    )
    write(
        tmp_path / "competitions_meta_2.csv",
        [
            [
                "CompName",
                "ref",
                "CompType",
                "Description",
                "EvaluationMetric",
                "DataType",
                "Subject",
                "ProblemType",
            ],
            ["c", "/c", "t", "d", "auc", "image", "s", "p"],
        ],
    )
    source = Code4MLSource(tmp_path)
    assert blocks(source) == [{"kernel": "5", "block": 0, "kind": "code", "code": "a", "label": None}]
    kernel = source.kernels().to_pylist()[0]
    assert (kernel["kernel"], kernel["listed"], kernel["votes"], kernel["score"]) == ("5", 2, 9, None)
    competition = source.competitions().to_pylist()[0]
    assert (competition["metric_name"], competition["data_types"]) == ("auc", ["image"])
    assert dropped(source) == [
        ("note", "kernels_meta2.csv", "column missing"),
        ("note", "kernels_meta2.csv", "column missing"),
    ]


def test_kernels_need_a_score_or_a_rank(folder: Path) -> None:
    write(folder / "kernels_meta.csv", [["kernel_id", "comp_name", "points"], [1, "c", 0.5]])
    with pytest.raises(
        CorpusError, match="no column 'kaggle_score' and no column 'rank'; it has 'kernel_id'"
    ):
        Code4MLSource(folder)


@pytest.mark.parametrize("name", ["code_blocks.csv", "kernels_meta.csv", "competitions_meta.csv"])
def test_a_missing_file_is_named_with_those_present(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(CorpusError, match=f"has no {name}; it has c"):
        Code4MLSource(folder)


def test_a_missing_column_is_named_before_anything_is_read(folder: Path) -> None:
    write(folder / "competitions_meta.csv", [["comp_name", "text", "metric"], ["c", "d", "m"]])
    with pytest.raises(CorpusError, match=r"competitions_meta\.csv has no column 'description'"):
        Code4MLSource(folder)


def test_a_path_that_is_no_folder_is_an_error(folder: Path) -> None:
    with pytest.raises(CorpusError, match="is not a folder"):
        Code4MLSource(folder / "code_blocks.csv")


def test_blocks_come_in_batches_in_any_order(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_columns, "_BLOCK_BYTES", 1_000)
    expected = [(str(number % 7), number // 7, f"x = {number}\n{'#' * 90}") for number in reversed(range(70))]
    write(folder / "code_blocks.csv", [BLOCKS[0], *([0, *row] for row in expected)])
    batches = list(Code4MLSource(folder).blocks())
    assert len(batches) > 3
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert [(row["kernel"], row["block"], row["code"]) for row in rows] == expected


def test_the_first_of_rows_with_the_same_id_is_kept(folder: Path) -> None:
    write(
        folder / "kernels_meta.csv",
        [*KERNELS, [2, 11, "other", 0.9, 0, 0, ""], [3, "", "titanic", 1, 0, 0, ""]],
    )
    write(folder / "competitions_meta.csv", [*COMPETITIONS, COMPETITIONS[1]])
    source = Code4MLSource(folder)
    assert source.kernels()["competition"].to_pylist() == ["titanic", "Bike Sharing Demand"]
    assert source.competitions().num_rows == 2
    assert dropped(source) == [
        ("competitions", "titanic", "duplicate id"),
        ("kernels", "11", "duplicate id"),
        ("kernels", "kernels_meta.csv row 4", "no id"),
    ]


def test_blocks_without_kernel_or_number_are_reported(folder: Path) -> None:
    write(folder / "code_blocks.csv", [*BLOCKS, [3, "", 0, "a"], [4, 22, "last", "b"], [5, 22, 1, ""]])
    source = Code4MLSource(folder)
    assert [(row["kernel"], row["block"], row["code"]) for row in blocks(source)[3:]] == [("22", 1, "")]
    assert [reason for _, _, reason in dropped(source)] == ["no kernel id or no block number"] * 2


def test_broken_rows_are_known_once_the_blocks_are_read(folder: Path) -> None:
    with (folder / "code_blocks.csv").open("ab") as stream:
        stream.write(b'3,22,1,"ok"\n4,22\n5,22,2,\xff\n6,22,3,a\0b\n')
    source = Code4MLSource(folder)
    assert [row["block"] for row in blocks(source)] == [0, 1, 0, 1]
    assert sorted(reason for _, _, reason in dropped(source)) == [
        "NUL bytes",
        "bytes that are no UTF-8",
        "wrong number of cells",
    ]


def test_a_cut_file_of_blocks_is_an_error(folder: Path) -> None:
    path = folder / "code_blocks.csv"
    path.write_bytes(path.read_bytes() + b'3,22,1,"import num')
    with pytest.raises(CorpusError, match=r"code_blocks\.csv .*the file is cut"):
        blocks(Code4MLSource(folder))


def test_a_block_with_a_labelled_code_has_its_label(folder: Path) -> None:
    write(folder / "markup_data.csv", MARKUP)
    source = Code4MLSource(folder)
    assert [row["label"] for row in blocks(source)] == [None, None, "45"]
    assert dropped(source) == [("note", "fit()", "several labels")]
    write(folder / "vertices.csv", VERTICES)
    assert blocks(Code4MLSource(folder))[2]["label"] == "Data_Extraction.load_from_csv"


def test_the_labelled_sample_alone_is_a_source(tmp_path: Path) -> None:
    write(tmp_path / "murkup_data.csv", MARKUP)
    source = Code4MLSource(tmp_path)
    assert (source.kernels().num_rows, source.competitions().num_rows) == (0, 0)
    assert [(row["kernel"], row["block"], row["code"], row["label"]) for row in blocks(source)] == [
        (None, 0, "fit()", "7"),
        (None, 1, "fit()", "45"),
        (None, 2, "show()", "41"),
        (None, 3, "unsure()", None),
    ]
    write(tmp_path / "actual_graph_2022-06-01.csv", VERTICES)
    labels = [row["label"] for row in blocks(Code4MLSource(tmp_path))]
    assert labels == ["Model_Train.train_model", "Data_Extraction.load_from_csv", "41", None]


def test_a_file_beside_the_one_that_is_read_is_remarked(folder: Path) -> None:
    write(folder / "kernels_meta2.csv", KERNELS)
    assert dropped(Code4MLSource(folder)) == [("note", "kernels_meta2.csv", "file not read")]


def test_the_fingerprint_is_of_the_content_alone(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first = Code4MLSource(folder).fingerprint()
    other = tmp_path_factory.mktemp("elsewhere")
    write(other / "code_blocks_clean.csv", BLOCKS)
    write(other / "kernels_meta.csv", KERNELS)
    write(other / "competitions_meta.csv", COMPETITIONS)
    assert Code4MLSource(other).fingerprint() == first
    write(other / "kernels_meta.csv", KERNELS[:2])
    changed = Code4MLSource(other).fingerprint()
    write(other / "markup_data.csv", MARKUP)
    labelled = Code4MLSource(other).fingerprint()
    assert len({first, changed, labelled}) == 3
