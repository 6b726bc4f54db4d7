"""The benchmark of fine-tuning on a card: what it says without one, its rows, and all of it in small on a CPU."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchmarks.gpu import rows, run
from benchmarks.gpu.base import ARCHITECTURES, linear_weights
from benchmarks.gpu.results import Results
from linguacodus_core.tables import DATASET, table

ROOT = Path(__file__).parents[2]


def example(split, competition, place):
    about = f"<task>\nThe competition {competition} is about rain. It has two columns. The metric is an area.\n</task>"
    asked = f"{about}\n\nWrite the instruction of the solution that took the {place}th place."
    return {
        "example": f"{competition}-{place}",
        "split": split,
        "prompt_set": "default",
        "competition": competition,
        "place": place,
        "prompt": [{"role": "system", "content": "You are an expert."}, {"role": "user", "content": asked}],
        "completion": [{"role": "assistant", "content": f"Data preprocessing: scale. Tree number {place}."}],
    }


@pytest.fixture
def dataset(tmp_path):
    folder = tmp_path / "version"
    folder.mkdir()
    made = [example("train", name, place) for name in ("wind", "sun", "snow") for place in (1, 2)]
    made += [example("train", "flood", place) for place in range(1, rows.PER_COMPETITION + 3)]
    made += [example("validation", "hail", 1)]
    pq.write_table(table("examples", made, DATASET), folder / "examples.parquet")
    return str(folder)


def test_without_a_card_it_says_what_it_would_do_and_needs_no_torch(tmp_path):
    asked = f"""
import sys
sys.modules["torch"] = None  # whoever imports it fails
from benchmarks.gpu import run
run.cards = lambda: 0
sys.exit(run.main(["--out", {str(tmp_path / "out")!r}, "--parts", "card,kill"]))
"""
    ended = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, cwd=ROOT)
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["would", "would", "skipped:"]
    assert not (tmp_path / "out").exists()


def test_a_part_that_does_not_exist_is_named(capsys):
    with pytest.raises(SystemExit):
        run.main(["--parts", "card,dance"])
    assert "dance" in capsys.readouterr().err


def test_no_prompt_is_shared_by_more_rows_when_rows_are_repeated(dataset):
    found = rows.read(dataset)
    chosen = rows.chosen(found, "train", 120)
    assert len(chosen) == 120
    assert len({row["example"] for row in chosen}) == 120
    sizes = Counter(row["competition"] for row in chosen)
    assert max(sizes.values()) <= rows.PER_COMPETITION
    about = {row["competition"]: row["prompt"][-1]["content"].split("Write")[0] for row in chosen}
    orders = Counter(about[name] for name in sizes if name.startswith("wind"))
    assert len(orders) > 1
    for name, text in about.items():
        original = about[name.split("-")[0]]  # the same sentences
        assert Counter(text.split()) == Counter(original.split())
    assert {row["split"] for row in rows.chosen(found, "heldout", 3)} == {"validation"}


def test_the_weights_that_a_token_meets_are_llamas():
    embedding = 32_000 * 4096
    norms = (2 * 32 + 1) * 4096
    assert linear_weights(ARCHITECTURES["llama2-7b"]) == 6_738_415_616 - embedding - norms


def test_what_was_measured_is_found_again_and_only_for_the_same_setup(tmp_path):
    file = tmp_path / "results.jsonl"
    Results(file, "one").add("speed", who="own", round=0, seconds=1.5)
    with file.open("a") as stream:
        stream.write('{"part": "speed", "setup": "one", "who": "pa')  # a kill in the middle of a line
    assert Results(file, "one").of("speed", who="own")[0]["seconds"] == 1.5
    assert Results(file, "other").records == []
    Results(file, "one").add("card", name="x")
    assert len(Results(file, "one").records) == 2


@pytest.mark.slow
def test_all_of_it_in_small_on_a_cpu(dataset, tmp_path, capsys):
    for name in run.NEEDED:
        pytest.importorskip(name)
    out = tmp_path / "out"
    asked = ["--dataset", dataset, "--out", str(out), "--device", "cpu", "--architecture", "tiny"]
    asked += ["--parts", "reference,own", "--rounds", "1", "--examples", "32", "--minutes", "10"]
    assert run.main(asked) == 0, capsys.readouterr().err
    records = json.loads((out / "results.json").read_text())
    trained = {record["who"]: record for record in records if record["part"] == "speed"}
    assert set(trained) == {"reference", "own"}
    assert trained["reference"]["steps"] == 8
    assert trained["own"]["examples_a_step"] > 1
    assert all(record["real_rate"] > 0 and record["whole"] for record in trained.values())
    assert trained["own"]["real_rate"] > trained["own"]["computed_rate"]
    losses = next(record["losses"] for record in records if record["part"] == "judged")
    assert set(losses) == {"base", "reference", "own"}
    page = (out / "results.md").read_text()
    assert "plain TRL" in page
    assert "RANDOM weights" in page
