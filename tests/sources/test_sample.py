import ast
import json
import shutil
import sys
from collections import Counter, defaultdict
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from linguacodus_core.candidate import Candidate
from linguacodus_core.curation.cells import join
from linguacodus_core.errors import TaskError
from linguacodus_core.metrics.detect import detect
from linguacodus_core.metrics.table import find
from linguacodus_core.sandbox.check import available
from linguacodus_core.sandbox.limits import Limits
from linguacodus_core.scoring.answers import score_submission
from linguacodus_core.scoring.harness import submit
from linguacodus_core.sources.sample import FOLDER, SampleSource
from linguacodus_core.tables import DATASET
from linguacodus_core.taskfolder.description import title_of
from linguacodus_core.taskfolder.examples import EXAMPLES, example_description, write_example
from linguacodus_core.taskfolder.read import read_task

NO_BUBBLEWRAP = next((found.reason for found in available() if not found.works), "")
SOURCE = SampleSource()
COMPETITIONS = {row["competition"]: row for row in SOURCE.competitions().to_pylist()}
KERNELS = {row["kernel"]: row for row in SOURCE.kernels().to_pylist()}
NAIVE = {
    "breast-cancer": "dora/hello-kaggle",
    "diabetes": "anna/mean-predictor",
    "diabetes-grades": "boris/mode",
    "digits-images": "boris/nearest-mean",
    "digits-torn": "emil/class-frequencies",
    "docstrings": "boris/largest-class",
    "missing-pixel": "dora/mean-of-all-pixels",
    "nuclei-area": "dora/average-area",
    "photo-heights": "dora/half-way-up",
    "photo-patches": "boris/coin",
    "wine": "dora/everything-is-grignolino",
}
NO_SOLUTION = {"greta/biopsies-a-first-look", "hugo/linear-model-in-r", "hugo/naive-bayes-by-hand"}
SCORED = sorted(set(KERNELS) - NO_SOLUTION)
LIBRARIES = {"numpy", "pandas", "scipy", "sklearn", "lightgbm", "xgboost", "catboost", "PIL"}


def read_programs() -> dict[str, str]:
    cells: dict[str, list[str]] = defaultdict(list)
    for batch in SOURCE.blocks():
        for row in batch.to_pylist():
            if row["kind"] == "code":
                cells[row["kernel"]].append(row["code"])
    return {kernel: join(code) for kernel, code in cells.items()}


PROGRAMS = read_programs()


def of(competition: str) -> list[dict[str, object]]:
    return [row for row in KERNELS.values() if row["competition"] == competition]


def test_every_kernel_is_read_and_has_the_schemas_of_a_source() -> None:
    assert SOURCE.competitions().schema == DATASET["competitions"]
    assert SOURCE.kernels().schema == DATASET["kernels"]
    assert all(batch.schema == DATASET["code_blocks"] for batch in SOURCE.blocks())
    assert SOURCE.unreadable().num_rows == 0
    assert set(PROGRAMS) == set(KERNELS)
    assert len(KERNELS) == SOURCE.kernels().num_rows == len(list(FOLDER.glob("*/*/kernel-metadata.json")))


def test_every_example_is_a_competition_of_several_kernels() -> None:
    assert set(COMPETITIONS) == set(EXAMPLES)
    counts = Counter(row["competition"] for row in KERNELS.values())
    assert min(counts.values()) >= 6


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_said_of_a_competition_is_what_its_description_says(name: str) -> None:
    row = COMPETITIONS[name]
    metric = find(row["metric_name"])
    assert metric is not None
    assert row["description"] == example_description(name)
    assert row["title"] == title_of(row["description"], name)[0]
    assert detect(row["description"])[0].metric.name == metric.name
    assert row["direction"] == metric.direction


@pytest.mark.parametrize("kernel", SCORED)
def test_a_scored_kernel_keeps_the_contract_of_programs(kernel: str) -> None:
    program = PROGRAMS[kernel]
    tops = set()
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.Import):
            tops |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            tops.add((node.module or "").split(".")[0])
    assert tops - sys.stdlib_module_names - {"matplotlib"} <= LIBRARIES
    assert not tops & {"socket", "urllib", "http", "subprocess"}
    assert "submission.csv" in program
    assert '"data' in program or '"./data' in program
    assert "sys.argv" not in program
    assert KERNELS[kernel]["score"] is not None


def test_what_is_no_solution_has_no_score() -> None:
    assert {name for name, row in KERNELS.items() if row["score"] is None} == NO_SOLUTION
    assert "submission.csv" not in PROGRAMS["greta/biopsies-a-first-look"]
    assert KERNELS["hugo/linear-model-in-r"]["language"] == "r"
    with pytest.raises(SyntaxError, match="print"):
        ast.parse(PROGRAMS["hugo/naive-bayes-by-hand"])


def test_nobody_voted_and_no_kernel_claims_to_be_on_kaggle() -> None:
    assert all(row["votes"] is None and row["comments"] is None for row in KERNELS.values())
    assert all(row["link"] is None for row in KERNELS.values())


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_best_kernel_beats_the_naive_one_clearly(name: str) -> None:
    scores = [row["score"] for row in of(name) if row["score"] is not None]
    naive = KERNELS[NAIVE[name]]["score"]
    if COMPETITIONS[name]["direction"] == "max":
        assert max(scores) > naive + 0.05
    else:
        assert min(scores) < 0.95 * naive
    assert len(set(scores)) >= 4


def test_a_competition_has_a_kernel_that_is_worse_than_knowing_nothing() -> None:
    assert KERNELS["dora/polynomials-of-degree-3"]["score"] > KERNELS["anna/mean-predictor"]["score"]
    assert KERNELS["dora/i-am-sure-about-it"]["score"] > KERNELS["emil/class-frequencies"]["score"]
    assert KERNELS["dora/log-target-very-low-loss"]["score"] > KERNELS["dora/average-area"]["score"]


def test_a_score_that_a_kernel_states_is_the_measured_one() -> None:
    stated = {name: row for name, row in KERNELS.items() if row["stated_score"] is not None}
    assert len(stated) == 3
    for row in stated.values():
        assert row["stated_score"] == pytest.approx(row["score"], abs=6e-4)


@pytest.mark.parametrize(
    ("fork", "of"),
    [
        ("ivan/fork-of-lightgbm-5-fold-with-lab-correction", "chen/lightgbm-5-fold-with-lab-correction"),
        ("ivan/fork-of-optimized-rounder-with-xgboost", "chen/lightgbm-regression-optimized-rounder"),
    ],
)
def test_a_fork_is_nearly_its_original(fork: str, of: str) -> None:
    lines = PROGRAMS[fork].splitlines(), PROGRAMS[of].splitlines()
    assert 0.85 < SequenceMatcher(None, *lines).ratio() < 1


def test_the_fingerprint_is_that_of_the_content(tmp_path: Path) -> None:
    copy = shutil.copytree(FOLDER, tmp_path / "elsewhere")
    assert SampleSource(copy).fingerprint() == SOURCE.fingerprint()
    changed = copy / "wine" / "boris__knn" / "knn.py"
    changed.write_text(changed.read_text() + "\n")
    assert SampleSource(copy).fingerprint() != SOURCE.fingerprint()


def test_a_competition_without_an_example_is_refused(tmp_path: Path) -> None:
    copy = shutil.copytree(FOLDER / "wine", tmp_path / "corpus" / "beer")
    metadata = copy / "boris__knn" / "kernel-metadata.json"
    metadata.write_text(json.dumps(json.loads(metadata.read_text()) | {"competition_sources": ["beer"]}))
    with pytest.raises(TaskError, match="no example beer"):
        SampleSource(tmp_path / "corpus").competitions()


@pytest.mark.skipif(bool(NO_BUBBLEWRAP), reason=NO_BUBBLEWRAP)
@pytest.mark.parametrize("kernel", ["emil/fisher-1936", "emil/ridge-from-scratch", "boris/nearest-mean"])
def test_running_a_kernel_gives_the_recorded_score(tmp_path: Path, kernel: str) -> None:
    row = KERNELS[kernel]
    task = write_example(row["competition"], tmp_path / "task")
    candidate = Candidate(route="whole", label=kernel, program=PROGRAMS[kernel])
    limits = Limits(wall_seconds=60, threads=1)
    found = submit(candidate, read_task(task), limits, work=tmp_path / "work")
    found.frame.to_csv(tmp_path / "submission.csv", index=False)
    assert score_submission(tmp_path / "submission.csv", task).score == pytest.approx(row["score"], rel=2e-3)
