"""The flow on a real (small) task; the language model is a local server that gives recorded or broken replies."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import psutil
import pyarrow.parquet as pq
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.sorting import ArtifactSort
from prefect.settings import (
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_LOGGING_TO_API_ENABLED,
    temporary_settings,
)
from prefect.testing.utilities import prefect_test_harness
from werkzeug import Request, Response

from linguacodus_core.tables import SCHEMAS
from tests.llm.conftest import chat
from tests.replay import RECORDINGS
from tests.shop import write_shop
from tests.tiny import write_task

pytestmark = [
    pytest.mark.flow,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
]
LINGUACODUS = str(Path(sys.executable).with_name("linguacodus"))


@pytest.fixture(scope="module")
def prefect_server():
    with (
        temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None, PREFECT_LOGGING_TO_API_ENABLED: False}),
        prefect_test_harness(server_startup_timeout=120),
    ):
        yield


@pytest.fixture(scope="module")
def task(tmp_path_factory) -> Path:
    return write_task(tmp_path_factory.mktemp("task") / "rain")


def start(
    task: Path,
    out: Path,
    home: Path,
    *options: str,
    under: Sequence[str] = (),
    prefect_home: Path | None = None,
) -> "subprocess.Popen[str]":
    """The command as a user starts it; `under`: a command that runs it."""
    prefect_home = prefect_home or home / "prefect"
    environment = {**os.environ, "LINGUACODUS_HOME": str(home), "PREFECT_HOME": str(prefect_home)}
    command = [*under, LINGUACODUS, "generate", str(task), "--out", str(out), "--sources", "prior", *options]
    return subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_for(path: Path, process: "subprocess.Popen[str]", seconds: float = 150) -> None:
    until = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < until, f"no {path}"
        time.sleep(0.2)


def journal(home: Path) -> list[dict]:
    (path,) = home.glob("generations/*/journal.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_run_leaves_every_output_and_the_same_again_is_found(
    prefect_server, task: Path, tmp_path: Path
) -> None:
    from flows.generate import generate
    from linguacodus_core.generation.request import GenerateRequest

    request = GenerateRequest(task_dir=task, out=tmp_path / "out", time_limit=45, sources=("prior",))
    result = generate(request)
    assert result.status == "finished"
    assert result.score is not None
    assert result.floor_score is not None
    assert result.score >= result.floor_score
    sample = pd.read_csv(task / "data" / "sample_submission.csv")
    submission = pd.read_csv(tmp_path / "out" / "submission.csv")
    assert list(submission.columns) == list(sample.columns)
    assert submission["id"].tolist() == sample["id"].tolist()
    assert submission["rain"].between(0, 1).all()
    for name, schema in SCHEMAS.items():
        assert pq.read_schema(tmp_path / "out" / f"{name}.parquet").equals(schema)
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["winner"]["score"] == result.score
    assert any("no network" in line for line in record["sandbox"])
    report = (tmp_path / "out" / "report.html").read_text()
    assert "Will it rain?" in report
    assert "<svg" in report
    assert not re.search(r"(?:src|href)=[\"']?https?:", report)

    with get_client(sync_client=True) as prefect:
        latest_last = reversed(prefect.read_artifacts(sort=ArtifactSort.UPDATED_DESC))
    shown = {item.key: item for item in latest_last}
    assert shown["rain-progress"].data == 100.0
    assert result.winner in shown["rain-summary"].data
    best, *others = json.loads(shown["rain-candidates"].data)
    assert best["best"]
    assert best["label"] == result.winner
    assert not any(row["best"] for row in others)

    again = generate(request.model_copy(update={"out": tmp_path / "again"}))
    assert (again.winner, again.score) == (result.winner, result.score)
    assert (tmp_path / "again" / "submission.csv").read_bytes() == (
        tmp_path / "out" / "submission.csv"
    ).read_bytes()

    record = json.loads((tmp_path / "again" / "run.json").read_text())
    assert any("no network" in line for line in record["sandbox"])

    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "data").symlink_to(task / "data")
    shutil.copy(tmp_path / "out" / "solution.py", alone)
    subprocess.run([sys.executable, "solution.py"], cwd=alone, check=True, timeout=120, capture_output=True)
    assert list(pd.read_csv(alone / "submission.csv").columns) == list(sample.columns)


def test_a_killed_run_goes_on_where_it_was(task: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = start(task, tmp_path / "out", home, "--time-limit", "60")
    wait_for(tmp_path / "out" / "submission.csv", first)
    time.sleep(4)
    children = psutil.Process(first.pid).children(recursive=True)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    assert psutil.wait_procs(children, timeout=30)[1] == []
    before = journal(home)
    second = start(task, tmp_path / "out", home, "--time-limit", "60")
    said, _ = second.communicate(timeout=300)
    assert second.returncode == 0, said
    assert "taking up an earlier run" in said
    after = journal(home)
    assert after[: len(before)] == before
    evaluated = [entry["evaluation"]["candidate"] for entry in after if entry["kind"] == "evaluation"]
    assert len(evaluated) == len(set(evaluated))
    assert (tmp_path / "out" / "report.html").exists()


def test_a_configured_server_that_is_down_is_one_clear_message(
    task: Path, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    process = start(task, tmp_path / "out", tmp_path / "home", "--time-limit", "60")
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "http://127.0.0.1:9/api does not answer" in said
    assert "Traceback" not in said


def assert_it_kept_the_best(process: "subprocess.Popen[str]", out: Path) -> None:
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert "stopped by hand" in said
    assert "Traceback" not in said
    assert json.loads((out / "run.json").read_text())["status"] == "interrupted"


def test_ctrl_c_keeps_the_best_so_far_and_says_so(task: Path, tmp_path: Path) -> None:
    process = start(task, tmp_path / "out", tmp_path / "home", "--time-limit", "600")
    wait_for(tmp_path / "out" / "submission.csv", process)
    time.sleep(5)
    os.killpg(process.pid, signal.SIGINT)
    assert_it_kept_the_best(process, tmp_path / "out")
    assert len(pd.read_csv(tmp_path / "out" / "submission.csv")) == 500


PROFILE = """
name = "test"
endpoint = "{url}"
context = 4096
concurrency = 1
timeout = {timeout}
max_retries = 1

[defaults]
model = "{model}"
max_tokens = 512
"""


def test_ctrl_c_does_not_wait_for_a_model_that_is_silent(task: Path, tmp_path: Path) -> None:
    profile = tmp_path / "profile.toml"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        profile.write_text(PROFILE.format(url=url, model="silent", timeout=300))
        options = ("--time-limit", "600", "--sources", "prior,plan", "--profile", str(profile))
        process = start(task, tmp_path / "out", tmp_path / "home", *options)
        wait_for(tmp_path / "out" / "submission.csv", process)
        silent.settimeout(60)
        connection, _ = silent.accept()
        with connection:
            assert b"POST" in connection.recv(100)
            os.killpg(process.pid, signal.SIGINT)
            assert_it_kept_the_best(process, tmp_path / "out")


def generate_with(
    url: str, task: Path, folder: Path, model: str = "test-model", timeout: float = 20, **changes: object
):
    from flows.generate import generate
    from linguacodus_core.generation.request import GenerateRequest

    (folder / "profile.toml").write_text(PROFILE.format(url=url, model=model, timeout=timeout))
    about = {"sources": ("plan", "staged"), "places": (1, 2), "max_ideas": 3, "time_limit": 60, **changes}
    profile = str(folder / "profile.toml")
    request = GenerateRequest(task_dir=task, out=folder / "out", profile=profile, **about)
    return generate(request), json.loads((folder / "out" / "run.json").read_text())


def test_an_endpoint_that_is_down_ends_in_the_floor_and_a_word_about_it(
    prefect_server, task: Path, tmp_path: Path
) -> None:
    result, record = generate_with("http://127.0.0.1:9/v1", task, tmp_path)
    assert result.winner.startswith("floor")
    assert any("language model" in note for note in record["notes"])
    assert len(pd.read_csv(tmp_path / "out" / "submission.csv")) == 500


@pytest.mark.parametrize("reply", ["<html>gateway</html>", "{broken", "nothing nothing nothing", ""])
def test_a_model_that_answers_nonsense_ends_in_the_floor(
    prefect_server, task: Path, tmp_path: Path, httpserver, reply: str
) -> None:
    httpserver.expect_request("/v1/chat/completions").respond_with_json(chat(reply))
    result, record = generate_with(
        httpserver.url_for("/v1"), task, tmp_path, model=f"model that says {len(reply)}"
    )
    assert result.status == "finished"
    assert result.winner.startswith("floor")
    assert record["llm"]["calls"] >= 2
    calls = pq.read_table(tmp_path / "out" / "llm_calls.parquet").to_pylist()
    assert {row["reply"] for row in calls} == {reply}


@pytest.mark.parametrize(
    ("fault", "sign"),
    [
        (Response("slow down", 429, headers={"Retry-After": "3600"}), "HTTP 429"),
        (Response("oops", 500), "HTTP 500"),
        (Response("<html>log in</html>", 200, content_type="text/html"), "a web page"),
        (Response("{broken", 200), "no chat completion"),
        (None, "did not answer within"),
    ],
    ids=["429", "500", "html", "broken json", "slow"],
)
def test_an_endpoint_with_a_fault_ends_in_the_floor_and_names_the_fault(
    prefect_server, task: Path, tmp_path: Path, httpserver, fault: Response | None, sign: str
) -> None:
    def handler(_: object) -> Response:
        if fault is None:
            time.sleep(4)
        return fault or Response("{}", 200)

    httpserver.expect_request("/v1/chat/completions").respond_with_handler(handler)
    result, record = generate_with(httpserver.url_for("/v1"), task, tmp_path, model="m", timeout=2)
    assert result.status == "finished"
    assert result.winner.startswith("floor")
    assert any("going on without the language model" in note and sign in note for note in record["notes"])


@pytest.mark.parametrize("full", ["out", "home"])
def test_a_full_disk_is_one_clear_message(task: Path, tmp_path: Path, full: str) -> None:
    places = {"out": tmp_path / "out", "home": tmp_path / "home"}
    for place in places.values():
        place.mkdir()
    process = start(
        task, places["out"], places["home"], "--time-limit", "30",
        under=["bwrap", "--dev-bind", "/", "/", "--size", "8192", "--tmpfs", str(places[full])],
        prefect_home=tmp_path / "prefect",
    )  # fmt: skip
    said, _ = process.communicate(timeout=200)
    assert process.returncode == 2, said
    assert "error:" in said
    assert "disk space" in said
    assert "Traceback" not in said


def test_the_recorded_replies_of_a_real_model_go_all_the_way(
    prefect_server, tmp_path: Path, httpserver
) -> None:
    recording = json.loads(next(RECORDINGS.glob("qwen2.5-coder-0.5b*.json")).read_text())
    texts = [
        item["text"]
        for item in recording["replies"]
        if item["prompt"] in ("instruction", "critique", "resolve")
    ]
    plans = [item["text"] for item in recording["replies"] if item["prompt"] == "plan"]

    def handler(request: Request) -> Response:
        left = plans if "response_format" in request.get_json() else texts
        reply = left.pop(0) if len(left) > 1 else left[0]
        return Response(json.dumps(chat(reply)), content_type="application/json")

    httpserver.expect_request("/v1/chat/completions").respond_with_handler(handler)
    task, model = write_shop(tmp_path / "shop"), recording["model"]
    result, record = generate_with(
        httpserver.url_for("/v1"),
        task,
        tmp_path,
        model=model,
        sources=("plan",),
        places=(1, 2, 3),
        max_ideas=6,
        time_limit=300,
    )
    assert result.status == "finished"
    out = tmp_path / "out"
    instructions = pq.read_table(out / "instructions.parquet").to_pylist()
    assert [row["kind"] for row in instructions].count("raw") == 3
    assert [row["kind"] for row in instructions].count("refined") == 1
    routes = [
        row["route"]
        for row in pq.read_table(out / "candidates.parquet").to_pylist()
        if row["score"] is not None
    ]
    assert routes.count("plan") == 2
    assert {row["model"] for row in pq.read_table(out / "llm_calls.parquet").to_pylist()} == {model}
    assert record["llm"]["calls"] >= 7
    document = (out / "instruction.md").read_text()
    assert instructions[0]["text"].splitlines()[0] in document
    assert len(pd.read_csv(out / "submission.csv")) == 60


def test_a_fault_of_the_harness_on_the_full_data_leaves_the_floor(
    prefect_server, task: Path, tmp_path: Path, monkeypatch
) -> None:
    from flows import generate as module
    from linguacodus_core.generation.request import GenerateRequest
    from linguacodus_core.scoring import harness

    submit = harness.submit

    def faulty(candidate, *rest, **more):
        if candidate.route != "floor":
            raise OSError("no room for its folder")
        return submit(candidate, *rest, **more)

    monkeypatch.setattr(harness, "submit", faulty)
    proposals = module.proposals
    monkeypatch.setattr(module, "proposals", lambda *about: proposals(*about)[:3])
    out = tmp_path / "out"
    out.mkdir()
    for name in ("submission.csv", "solution.py", "report.html"):
        (out / name).write_text("of another run")
    result = module.generate(
        GenerateRequest(task_dir=task, out=out, time_limit=300, seed=5, sources=("prior",))
    )
    assert result.winner.startswith("floor")
    record = json.loads((out / "run.json").read_text())
    assert any("could not be run on the full data" in note for note in record["notes"])
    assert len(pd.read_csv(out / "submission.csv")) == 500
