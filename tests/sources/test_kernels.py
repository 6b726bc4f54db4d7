"""A folder of pulled kernels becomes the three tables; nothing goes unnoticed."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from linguacodus_core.errors import CorpusError
from linguacodus_core.sources import kernels
from linguacodus_core.sources.competition_files import CompetitionFiles
from linguacodus_core.sources.kernel_folders import choose_competition
from linguacodus_core.sources.kernels import KernelsSource
from linguacodus_core.tables import DATASET


def pull(folder: Path, code: str = "code.ipynb", content: str | None = None, **metadata: object) -> Path:
    """A kernel as `kaggle kernels pull -m` leaves it; metadata with the value None are left out."""
    folder.mkdir(parents=True)
    said = {
        "id": f"me/{folder.name}",
        "id_no": 7,
        "title": "A title",
        "code_file": code,
        "language": "python",
        "kernel_type": "notebook",
        "competition_sources": [],
    } | metadata
    said = {key: value for key, value in said.items() if value is not None}
    (folder / "kernel-metadata.json").write_text(json.dumps(said))
    (folder / code).write_text(notebook("x = 1") if content is None else content)
    return folder


def notebook(*code: str, **more: object) -> str:
    cells = [{"cell_type": "code", "source": each, "outputs": []} for each in code]
    return json.dumps({"nbformat": 4, "metadata": {}, "cells": cells} | more)


def blocks(source: KernelsSource) -> list[dict[str, object]]:
    return pa.Table.from_batches(source.blocks(), schema=DATASET["code_blocks"]).to_pylist()


def dropped(source: KernelsSource) -> list[tuple[str, str, str]]:
    return [(row["table"], row["row"], row["reason"]) for row in source.unreadable().to_pylist()]


def test_a_notebook_and_a_script(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": "LB 0.78"},
        {"cell_type": "code", "source": ["import os\n", "os"]},
    ]
    pull(
        tmp_path / "titanic" / "me__mine",
        content=json.dumps({"cells": cells}),
        id="me/mine",
        title="Mine",
        competition_sources=["titanic"],
        total_votes=5,
    )
    pull(tmp_path / "titanic" / "you__run", "run.py", "print(1)\n", id="you/run", kernel_type="script")
    source = KernelsSource(tmp_path)
    assert source.name == "kernels"
    assert [source.competitions().schema, source.kernels().schema] == [
        DATASET["competitions"],
        DATASET["kernels"],
    ]
    mine, run = source.kernels().to_pylist()
    assert mine == {
        "kernel": "me/mine",
        "competition": "titanic",
        "title": "Mine",
        "link": "https://www.kaggle.com/code/me/mine",
        "language": "python",
        "kind": "notebook",
        "score": None,
        "listed": None,
        "stated_score": 0.78,
        "votes": 5,
        "comments": None,
    }
    assert (run["kernel"], run["kind"], run["competition"]) == ("you/run", "script", "titanic")
    assert blocks(source) == [
        {"kernel": "me/mine", "block": 0, "kind": "markdown", "code": "LB 0.78", "label": None},
        {"kernel": "me/mine", "block": 1, "kind": "code", "code": "import os\nos", "label": None},
        {"kernel": "you/run", "block": 0, "kind": "code", "code": "print(1)\n", "label": None},
    ]
    assert source.competitions()["competition"].to_pylist() == ["titanic"]
    assert dropped(source) == []


@pytest.mark.parametrize(
    ("code", "said", "language"),
    [
        ("a.R", "r", "r"),
        ("a.r", None, "r"),
        ("a.Rmd", "RMarkdown", "rmarkdown"),
        ("a.Rmd", None, "rmarkdown"),
        ("a.irnb", None, "r"),
        ("a.jl", "julia", "julia"),
        ("a.jl", None, "julia"),
        ("a.sql", None, "sqlite"),
        ("a.py", "", "python"),
        ("a.ipynb", "Python", "python"),
        ("a.ipynb", None, "r"),
    ],
)
def test_every_language_is_yielded(tmp_path: Path, code: str, said: str | None, language: str) -> None:
    text = notebook("1", metadata={"kernelspec": {"name": "ir"}})
    pull(tmp_path / "mine", code, text if code.endswith("nb") else "1", language=said)
    source = KernelsSource(tmp_path)
    assert source.kernels()["language"].to_pylist() == [language]
    assert [row["code"] for row in blocks(source)] == ["1"]


@pytest.mark.parametrize(
    ("named", "parents", "expected"),
    [
        (["titanic", "other"], ["kaggle", "titanic"], ("titanic", False)),
        (["mabe"], ["MABe"], ("MABe", False)),
        (["titanic"], ["mine"], ("titanic", False)),
        (["first", "second"], ["third"], ("first", True)),
        ([], ["titanic"], ("titanic", False)),
        ([], ["years", "titanic"], (None, False)),
        ([], [], (None, False)),
    ],
)
def test_the_competition(named: list[str], parents: list[str], expected: tuple[str | None, bool]) -> None:
    assert choose_competition(named, parents) == expected


def test_a_choice_among_several_competitions_is_remarked(tmp_path: Path) -> None:
    pull(tmp_path / "mine", competition_sources=["first", "", "second"])
    source = KernelsSource(tmp_path)
    assert source.kernels()["competition"].to_pylist() == ["first"]
    assert dropped(source) == [("note", "me/mine", "several competitions")]


def test_a_kernel_of_two_competitions_is_two_kernels(tmp_path: Path) -> None:
    for competition in ("a", "b"):
        pull(tmp_path / competition / "mine", competition_sources=["b", "a"])
    pull(tmp_path / "b" / "mine-again", id="me/mine", competition_sources=["a", "b"])
    source = KernelsSource(tmp_path)
    assert [(row["kernel"], row["competition"], row["link"]) for row in source.kernels().to_pylist()] == [
        ("me/mine", "a", "https://www.kaggle.com/code/me/mine"),
        ("me/mine@b", "b", "https://www.kaggle.com/code/me/mine"),
    ]
    assert [row["kernel"] for row in blocks(source)] == ["me/mine", "me/mine@b"]
    assert dropped(source) == [("kernels", "me/mine", "pulled twice")]


def test_kernels_that_cannot_be_read_are_reported_with_the_reason(tmp_path: Path) -> None:
    pull(tmp_path / "good")
    (pull(tmp_path / "a") / "kernel-metadata.json").write_text("{")
    (pull(tmp_path / "b") / "kernel-metadata.json").write_text("[]")
    (pull(tmp_path / "c") / "code.ipynb").unlink()
    pull(tmp_path / "d", content="<html>")
    pull(tmp_path / "e", content="")
    (pull(tmp_path / "f", "code.py", "") / "code.py").write_bytes(b"x = '\xe4'")
    (pull(tmp_path / "g") / "kernel-metadata.json").unlink()
    source = KernelsSource(tmp_path)
    assert source.kernels()["kernel"].to_pylist() == ["me/good"]
    assert {row["kernel"] for row in blocks(source)} == {"me/good"}
    assert dropped(source) == [
        ("kernels", "a/kernel-metadata.json", "broken metadata"),
        ("kernels", "b/kernel-metadata.json", "broken metadata"),
        ("kernels", "me/c", "no code file"),
        ("kernels", "g/code.ipynb", "no kernel-metadata.json"),
        ("kernels", "me/d", "broken notebook"),
        ("kernels", "me/e", "broken notebook"),
        ("kernels", "me/f", "broken script"),
    ]


def test_the_only_code_file_stands_in_for_one_that_is_not_there(tmp_path: Path) -> None:
    folder = pull(tmp_path / "mine")
    (folder / "code.ipynb").rename(folder / "renamed.ipynb")
    assert KernelsSource(tmp_path).kernels()["kernel"].to_pylist() == ["me/mine"]


def test_a_code_file_outside_of_the_kernels_folder_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.py").write_text("secret")
    folder = pull(tmp_path / "a" / "mine")
    (folder / "kernel-metadata.json").write_text(
        json.dumps({"code_file": "../../secret.py", "id": "me/mine"})
    )
    assert "secret" not in [row["code"] for row in blocks(KernelsSource(tmp_path))]


def test_metadata_without_id_or_number(tmp_path: Path) -> None:
    pull(tmp_path / "a" / "mine", id=None, id_no=None, title="half \ud83d")
    row = KernelsSource(tmp_path).kernels().to_pylist()[0]
    assert (row["kernel"], row["link"], row["title"]) == ("a/mine", None, "half \ufffd")


def test_what_the_listing_says_of_the_kernels(tmp_path: Path) -> None:
    pull(tmp_path / "titanic" / "mine", id="Me/Mine", title=None)
    pull(tmp_path / "titanic" / "yours", id="you/yours", total_votes=1)
    listing = [
        {"kernel": "me/mine", "listed": 1, "votes": 12, "comments": 3, "score": 0.8, "title": "Listed"},
        {"kernel": "you/yours", "listed": 2, "votes": None, "score": None},
    ]
    (tmp_path / "titanic" / "listing.json").write_text(json.dumps(listing))
    rows = KernelsSource(tmp_path).kernels().to_pylist()
    assert [(row["listed"], row["votes"], row["comments"], row["score"], row["title"]) for row in rows] == [
        (1, 12, 3, 0.8, "Listed"),
        (2, 1, None, None, "A title"),
    ]


@pytest.mark.parametrize("content", ["{", "{}", '[{"listed": 1}]'])
def test_a_damaged_listing_is_an_error(tmp_path: Path, content: str) -> None:
    pull(tmp_path / "titanic" / "mine")
    (tmp_path / "titanic" / "listing.json").write_text(content)
    with pytest.raises(CorpusError, match=r"listing\.json"):
        KernelsSource(tmp_path).kernels()


def competition(source: KernelsSource) -> dict[str, object]:
    rows: list[dict[str, object]] = source.competitions().to_pylist()
    return {key: value for key, value in rows[0].items() if value is not None}


def test_a_competition_of_which_nothing_is_known_is_its_name(tmp_path: Path) -> None:
    pull(tmp_path / "titanic" / "mine")
    assert competition(KernelsSource(tmp_path)) == {"competition": "titanic"}
    (tmp_path / "titanic" / "description.md").write_text("Who survived?\n")
    assert competition(KernelsSource(tmp_path)) == {"competition": "titanic", "description": "Who survived?"}


def test_what_competition_json_says(tmp_path: Path) -> None:
    pull(tmp_path / "titanic" / "mine")
    said = {
        "title": "Titanic",
        "description": "Who?",
        "tags": ["Tabular", "Log Loss"],
        "direction": "max",
        "link": "https://example.org",
    }
    (tmp_path / "titanic" / "competition.json").write_text(json.dumps(said))
    assert competition(KernelsSource(tmp_path)) == {
        "competition": "titanic",
        "title": "Titanic",
        "description": "Who?",
        "link": "https://example.org",
        "metric_name": "Log Loss",
        "direction": "max",
        "tags": ["Tabular", "Log Loss"],
    }
    (tmp_path / "titanic" / "competition.json").write_text(json.dumps(said | {"metric_name": "Odd Loss"}))
    assert competition(KernelsSource(tmp_path))["metric_name"] == "Odd Loss"
    (tmp_path / "titanic" / "competition.json").write_text("[]")
    with pytest.raises(CorpusError, match=r"competition\.json is no JSON object"):
        KernelsSource(tmp_path).competitions()


CATALOGUE = """slug,title,tags,higher_is_better,description
titanic,Titanic,Tabular|Area Under Receiver Operating Characteristic Curve,True,"Who
survived?"
other,Other,Image,False,Nothing
"""


@pytest.mark.parametrize("beside", [True, False])
def test_what_a_catalogue_of_competitions_says(tmp_path: Path, beside: bool) -> None:
    root = tmp_path / "kernels"
    pull(root / "Titanic" / "mine")
    path = (root if beside else tmp_path) / "competitions.csv"
    path.write_text(CATALOGUE)
    source = KernelsSource(root) if beside else KernelsSource(root, path)
    assert source.competitions().num_rows == 1
    assert competition(source) == {
        "competition": "Titanic",
        "title": "Titanic",
        "description": "Who\nsurvived?",
        "metric_name": "Area Under Receiver Operating Characteristic Curve",
        "direction": "max",
        "tags": ["Tabular", "Area Under Receiver Operating Characteristic Curve"],
    }
    (root / "Titanic" / "competition.json").write_text('{"title": "Its own", "tags": []}')
    assert competition(source := KernelsSource(root, path))["title"] == "Its own"
    assert competition(source)["direction"] == "max"


def test_other_spellings_of_a_catalogue(tmp_path: Path) -> None:
    pull(tmp_path / "k" / "titanic" / "mine")
    path = tmp_path / "meta.csv"
    path.write_text(
        'Comp_Name,Description,EvaluationMetric,Data Type\ntitanic,Who?,RMSLE,"tabular, text"\ncut\n'
    )
    source = KernelsSource(tmp_path / "k", path)
    assert competition(source) == {
        "competition": "titanic",
        "description": "Who?",
        "metric_name": "RMSLE",
        "data_types": ["tabular", "text"],
    }
    assert dropped(source) == [("competitions", "meta.csv row 3", "wrong number of cells")]


def test_a_competition_with_a_folder_and_no_kernel_is_one_too(tmp_path: Path) -> None:
    pull(tmp_path / "titanic" / "mine")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "competition.json").write_text("{}")
    assert KernelsSource(tmp_path).competitions()["competition"].to_pylist() == ["empty", "titanic"]


def test_blocks_come_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "_BATCH_CHARACTERS", 100)
    for name in "abc":
        pull(tmp_path / name, content=notebook(*[f"{name} = {number}" + "#" * 50 for number in range(5)]))
    batches = list(KernelsSource(tmp_path).blocks())
    assert len(batches) == 8
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert [(row["kernel"], row["block"]) for row in rows] == [
        (f"me/{name}", n) for name in "abc" for n in range(5)
    ]


@pytest.mark.parametrize("case", ["no folder", "no kernels", "no catalogue", "no column"])
def test_what_cannot_be_a_source_is_an_error(tmp_path: Path, case: str) -> None:
    root, path = tmp_path / "k", tmp_path / "c.csv"
    if case != "no folder":
        root.mkdir()
    if case in ("no catalogue", "no column"):
        pull(root / "mine")
    if case == "no column":
        path.write_text("name\ntitanic\n")
    message = {
        "no folder": "is not a folder",
        "no kernels": "has no kernels",
        "no catalogue": "there is no file",
        "no column": "has no column 'competition'",
    }[case]
    with pytest.raises(CorpusError, match=message):
        KernelsSource(root, path if case.startswith("no c") else None)


def test_the_fingerprint_is_of_content_and_relative_paths(tmp_path: Path) -> None:
    for place in ("here", "there"):
        pull(tmp_path / place / "titanic" / "mine")
    here, there = tmp_path / "here", tmp_path / "there"
    seen = [KernelsSource(here).fingerprint()]
    assert KernelsSource(there).fingerprint() == seen[0]
    catalogue = tmp_path / "c.csv"
    catalogue.write_text(CATALOGUE)
    seen.append(KernelsSource(there, catalogue).fingerprint())
    for name, content in [
        ("titanic/description.md", "Who?"),
        ("titanic/listing.json", "[]"),
        ("titanic/competition.json", "{}"),
        ("titanic/mine/code.ipynb", notebook("x = 2")),
    ]:
        (there / name).write_text(content)
        seen.append(KernelsSource(there).fingerprint())
    (there / "titanic" / "mine").rename(there / "titanic" / "moved")
    seen.append(KernelsSource(there).fingerprint())
    assert len(set(seen)) == len(seen)


def test_a_competition_name_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "description.md").write_text("a secret")
    about = CompetitionFiles(tmp_path / "root", None)
    for name in ("../secret", str(tmp_path / "secret"), "..", "x" * 5000, "a\0b"):
        assert about.competition(name).get("description") is None
