"""The baselines run for real on whatever files the task's reader accepts."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from linguacodus_core.candidate import Candidate
from linguacodus_core.generation.proposals import floors
from linguacodus_core.sandbox.limits import Limits
from linguacodus_core.scoring.evaluation import Evaluation
from linguacodus_core.scoring.harness import Submission, evaluate, submit
from linguacodus_core.scoring.holdout import carve
from linguacodus_core.synthesis.dryrun import DryRun
from linguacodus_core.synthesis.skeleton import columns_of, render_skeleton
from linguacodus_core.taskfolder.frames import read_csv
from linguacodus_core.taskfolder.profile import profile
from linguacodus_core.taskfolder.read import read_task
from linguacodus_core.taskfolder.spec import TaskSpec

ISOLATION = "auto" if shutil.which("bwrap") else "subprocess"
DIALECTS: dict[str, dict[str, Any]] = {
    "utf-16": {"encoding": "utf-16"},
    "utf-16 without a mark": {"encoding": "utf-16-le"},
    "decimal comma": {"sep": ";", "decimal": ","},
    "all at once": {"encoding": "cp1252", "sep": "\t", "decimal": ","},
}


def write_task(folder: Path, metric: str, ending: str = ".csv", **dialect: Any) -> TaskSpec:
    """Houses: a price, and whether they are sold (1.0 or 0.0), by size and a side table of towns."""
    random = np.random.default_rng(0)
    rows = 260
    table = pd.DataFrame(
        {
            "id": [f"{number:04d}" for number in range(rows)],
            "size": random.normal(100, 20, rows).round(2),
            "town": random.choice(["Köln", "Ulm", "Kiel"], rows),
        }
    )
    height = table["town"].map({"Köln": 52.5, "Ulm": 478.25, "Kiel": 5.75})
    table["price"] = (table["size"] * 3 + height + random.normal(0, 5, rows)).round(2)
    target = "price"
    if metric == "accuracy":
        target, table["price"] = "sold", (table["price"] > table["price"].median()).astype(float)
        table = table.rename(columns={"price": "sold"})
    towns = pd.DataFrame({"town": ["Köln", "Ulm", "Kiel"], "height": [52.5, 478.25, 5.75]})
    (folder / "data").mkdir(parents=True)
    (folder / "description.md").write_text(f"Houses.\n\n## Evaluation\n\nThe metric is {metric}.\n")
    (folder / "task.toml").write_text(f'metric = "{metric}"\n')
    test = table[220:]
    for name, frame in {
        "train": table[:220],
        "test": test.drop(columns=target),
        "sample_submission": test[["id"]].assign(**{target: table[target].iloc[0]}),
        "towns": towns,
    }.items():
        frame.to_csv(folder / "data" / f"{name}{ending}", index=False, **dialect)
    return read_task(folder)


def on_a_hold_out(candidate: Candidate, spec: TaskSpec, folder: Path) -> Evaluation:
    """The candidate on the task's first hold-out."""
    split = carve(spec, 0, folder / "split")
    return evaluate(
        candidate,
        spec,
        split.model_copy(update={"folds": split.folds[:1]}),
        Limits.for_machine(120),
        ISOLATION,
        work=folder / "work",
        predictions_dir=folder / "predictions",
    )


def on_all(candidate: Candidate, spec: TaskSpec, folder: Path) -> Submission:
    return submit(candidate, spec, Limits.for_machine(120), ISOLATION, work=folder / "work")


@pytest.mark.parametrize(
    ("metric", "dialect"),
    [
        ("rmse", "utf-16"),
        ("accuracy", "utf-16 without a mark"),
        ("rmse", "decimal comma"),
        ("accuracy", "decimal comma"),
        ("accuracy", "all at once"),
    ],
)
def test_floors_read_what_the_reader_reads(metric: str, dialect: str, tmp_path: Path) -> None:
    spec = write_task(tmp_path / "task", metric, **DIALECTS[dialect])
    assert set(spec.dialects) == {"train.csv", "test.csv", "sample_submission.csv", "towns.csv"}
    fitted, constant = floors(spec, profile(spec))
    found, plain = (on_a_hold_out(candidate, spec, tmp_path) for candidate in (fitted, constant))
    assert (found.status, plain.status) == ("scored", "scored"), f"{found.error}\n{plain.error}"
    assert found.score is not None
    assert plain.score is not None
    gained = plain.score - found.score if metric == "rmse" else found.score - plain.score
    assert gained > (50 if metric == "rmse" else 0.2)
    made = on_all(fitted, spec, tmp_path).frame
    assert list(made["id"]) == [f"{number:04d}" for number in range(220, 260)]
    assert made[spec.targets[0]].nunique() > 1
    assert on_all(constant, spec, tmp_path).frame[spec.targets[0]].nunique() == 1


@pytest.mark.parametrize("metric", ["rmse", "accuracy"])
def test_the_staged_skeleton_reads_it_too(metric: str, tmp_path: Path) -> None:
    spec = write_task(tmp_path / "task", metric, ".csv.gz", **DIALECTS["decimal comma"], encoding="utf-16")
    tables = (read_csv(spec.data / name) for name in (spec.train_file, spec.test_file))
    program = render_skeleton(spec, columns_of(*tables, spec))
    found = on_a_hold_out(Candidate(route="staged", label="skeleton", program=program), spec, tmp_path)
    assert found.status == "scored", found.error
    assert found.score is not None
    assert found.score < 60 if metric == "rmse" else found.score > 0.75


@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
def test_a_sample_of_the_data_is_written_as_the_task_is(ending: str, tmp_path: Path) -> None:
    spec = write_task(tmp_path / "task", "rmse", ending, **DIALECTS["decimal comma"])
    with DryRun(spec, carve(spec, 0, tmp_path / "split"), tmp_path / "dry", ISOLATION) as dry:
        assert dry.run(render_skeleton(spec, dry.columns)) == ""


def test_the_programs_of_plain_files_do_not_speak_of_dialects(tmp_path: Path) -> None:
    spec = write_task(tmp_path / "task", "rmse")
    assert spec.dialects == {}
    fitted, constant = floors(spec, profile(spec))
    assert "DIALECTS" not in fitted.program
    assert "train = read_table(TRAIN_FILE, raw)\n" in fitted.program
    assert "sep=" not in constant.program


def test_hundreds_of_columns_go_through_a_whole_floor(tmp_path: Path) -> None:
    spec = write_task(tmp_path / "task", "rmse")
    random = np.random.default_rng(1)
    for name in ("train.csv", "test.csv"):
        table = pd.read_csv(spec.data / name, dtype={"id": str})
        wide = pd.DataFrame(random.normal(size=(len(table), 400)).round(3), index=table.index)
        wide[7] = "text"
        wide[8] = np.nan
        table.insert(3, "wide", 0)
        table = pd.concat([table.iloc[:, :3], wide.add_prefix("c"), table.iloc[:, 4:]], axis=1)
        table.to_csv(spec.data / name, index=False)
    spec = read_task(spec.folder)
    assert len(read_csv(spec.data / "test.csv").columns) == 403
    for candidate in floors(spec, profile(spec)):
        assert len(on_all(candidate, spec, tmp_path).frame) == 40
