"""The flow on small corpora; the language model is a local endpoint that extracts honestly."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest
from prefect.settings import (
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_LOGGING_TO_API_ENABLED,
    temporary_settings,
)
from prefect.testing.utilities import prefect_test_harness

from benchmarks.honest_endpoint import Endpoint
from benchmarks.pulled_kernels import add_kernel, write_corpus
from flows.rebuild_dataset import rebuild_dataset
from linguacodus_core.dataset import request as requests
from linguacodus_core.dataset.version import TABLES, list_versions, open_version, verify
from linguacodus_core.errors import BudgetExceeded, CorpusError, DatasetError
from tests.sources.kaggle_server import TOKEN, KaggleServer

pytestmark = pytest.mark.flow
LINGUACODUS = str(Path(sys.executable).with_name("linguacodus"))


@pytest.fixture(scope="module", autouse=True)
def _prefect():
    with (
        temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None, PREFECT_LOGGING_TO_API_ENABLED: False}),
        prefect_test_harness(server_startup_timeout=120),
    ):
        yield


@pytest.fixture(autouse=True)
def _own_home(home: Path) -> None:
    pass


@pytest.fixture
def endpoint():
    with Endpoint().serving() as serving:
        yield serving


def rebuilt(**fields: object):
    return rebuild_dataset(requests.RebuildRequest.model_validate(fields))


def kernels(folder: Path, **more: object):
    return rebuilt(source="kernels", path=folder, **more)


def test_the_corpus_that_ships_becomes_a_version_without_model_or_money() -> None:
    result = rebuilt(source="sample")
    version = open_version(result.version)
    assert result.new
    assert verify(version) == []
    assert result.solutions > 50
    assert result.instructions == version.table("instructions").num_rows > 45
    rows = version.table("instructions").to_pylist()
    assert all(row["extractor"] == "static" and row["grounding"] == 1.0 and row["families"] for row in rows)
    assert {row["split"] for row in version.table("examples").to_pylist()} >= {"train", "validation"}
    assert version.table("llm_calls").num_rows == 0
    reasons = {row["reason"] for row in version.table("dropped").to_pylist()}
    assert {"no score", "language: r", "near-duplicate"} <= reasons
    assert "| tabular |" in version.text("card.md")


def test_every_competition_stands_on_one_side_of_the_split() -> None:
    version = open_version(rebuilt(source="sample").version)
    sides: dict[str, set[str]] = {}
    for row in version.table("examples").to_pylist():
        sides.setdefault(row["competition"], set()).add(row["split"])
    assert all(len(found) == 1 for found in sides.values())


def test_an_unchanged_rebuild_does_nothing(tmp_path: Path, endpoint: Endpoint) -> None:
    folder, profile = write_corpus(tmp_path / "pulled", seed=1), endpoint.profile(tmp_path)
    first = kernels(folder, profile=str(profile), budget_usd=1)
    assert (first.calls, endpoint.calls) == (12, 12)
    again = kernels(folder, profile=str(profile), budget_usd=1)
    assert (again.version, again.new, again.calls) == (first.version, False, 0)
    assert endpoint.calls == 12


def test_one_new_solution_makes_one_new_call(tmp_path: Path, endpoint: Endpoint) -> None:
    folder, profile = write_corpus(tmp_path / "pulled", seed=2), endpoint.profile(tmp_path)
    first = kernels(folder, profile=str(profile), budget_usd=1)
    kernel = add_kernel(folder, "contest-2-1", 2999)
    second = kernels(folder, profile=str(profile), budget_usd=1)
    assert endpoint.calls == 13
    assert second.new
    assert second.instructions == first.instructions + 1
    solutions = {row["kernel"]: row for row in open_version(second.version).table("solutions").to_pylist()}
    assert solutions[kernel]["place"] == 5


def test_the_instructions_of_the_model_come_with_their_calls_and_grounding(
    tmp_path: Path, endpoint: Endpoint
) -> None:
    folder, profile = write_corpus(tmp_path / "pulled", seed=3), endpoint.profile(tmp_path)
    version = open_version(kernels(folder, profile=str(profile), budget_usd=1).version)
    calls = {row["key"] for row in version.table("llm_calls").to_pylist()}
    for row in version.table("instructions").to_pylist():
        assert row["extractor"] == "model"
        assert row["model"] == "extractor-1"
        assert row["grounding"] == 1.0
        assert set(row["calls"]) <= calls
    assert version.manifest.inputs["extractor"] == "model extractor-1"


def test_a_budget_stops_before_it_is_passed_and_says_what_is_left(tmp_path: Path, endpoint: Endpoint) -> None:
    folder, profile = write_corpus(tmp_path / "pulled", seed=4), endpoint.profile(tmp_path, concurrency=1)
    with pytest.raises(BudgetExceeded, match=r"\d+ are left and may cost about \$0\.\d\d"):
        kernels(folder, profile=str(profile), budget_usd=0.006)
    made = endpoint.calls
    assert 0 < made < 12
    assert list_versions() == []
    assert kernels(folder, profile=str(profile), budget_usd=1).instructions == 12
    assert endpoint.calls == 12


def test_a_dry_run_shows_funnel_and_cost_and_asks_nothing(
    tmp_path: Path, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    folder, profile = write_corpus(tmp_path / "pulled", seed=5), endpoint.profile(tmp_path)
    with caplog.at_level("INFO", logger="linguacodus"):
        result = kernels(folder, profile=str(profile), dry_run=True)
    assert (result.version, result.solutions, endpoint.calls) == ("", 12, 0)
    assert "12 solutions of 3 competitions; 12 to extract by extractor-1: 12 calls" in caplog.text
    assert "at most $" in caplog.text


def test_a_dry_run_needs_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert kernels(write_corpus(tmp_path / "pulled", seed=14), profile="openai", dry_run=True).solutions == 12


def test_a_limit_takes_the_best_places_first(tmp_path: Path, endpoint: Endpoint) -> None:
    folder, profile = write_corpus(tmp_path / "pulled", seed=6), endpoint.profile(tmp_path)
    version = open_version(kernels(folder, profile=str(profile), budget_usd=1, limit=3).version)
    places = {row["solution"]: row["place"] for row in version.table("solutions").to_pylist()}
    assert [places[row["solution"]] for row in version.table("instructions").to_pylist()] == [1, 1, 1]


def test_a_new_version_is_announced_by_one_event_and_an_unchanged_one_by_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[dict[str, object]] = []
    monkeypatch.setattr("tasks.rebuild.emit_event", lambda **event: events.append(event))
    folder = write_corpus(tmp_path / "pulled", seed=7)
    version = kernels(folder).version
    kernels(folder)
    (event,) = events
    assert event["event"] == "linguacodus.dataset.published"
    assert event["payload"]["version"] == version  # type: ignore[index]
    assert event["resource"]["prefect.resource.id"] == f"linguacodus.dataset.{version}"  # type: ignore[index]


def test_the_tables_of_a_version_are_plain_parquet(tmp_path: Path) -> None:
    version = open_version(kernels(write_corpus(tmp_path / "pulled", seed=8)).version)
    for name in TABLES:
        assert pq.ParquetFile(version.path(name)).metadata.num_rows == version.manifest.rows[name]


def test_a_file_of_labelled_blocks_alone_makes_no_version(tmp_path: Path) -> None:
    (tmp_path / "markup_data.csv").write_text(
        ",code_block,too_long,marks,graph_vertex_id\n0,x = 1,No,5,45.0\n"
    )
    with pytest.raises(DatasetError, match="1 code blocks and no kernels"):
        rebuilt(source="code4ml", path=tmp_path)


def test_kernels_that_nothing_ranks_train_only_when_asked(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "pulled", seed=9)
    for listing in folder.glob("*/listing.json"):
        listing.unlink()
    with pytest.raises(DatasetError, match="no instruction is left"):
        kernels(folder)
    version = open_version(kernels(folder, curation={"unranked": "keep"}).version)
    rows = version.table("examples").to_pylist()
    assert {row["prompt_set"] for row in rows} == {"default"}
    assert {row["place"] for row in rows} == {None}


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"source": "code4ml", "path": "/no/such/folder"}, CorpusError),
        ({"source": "kernels", "path": "EMPTY"}, CorpusError),
        ({"source": "sample", "competitions": ["zzz"]}, CorpusError),
    ],
)
def test_bad_input_is_one_clear_error_and_publishes_nothing(
    tmp_path: Path, fields: dict[str, object], error: type[Exception]
) -> None:
    if fields.get("path") == "EMPTY":
        fields = fields | {"path": tmp_path}
    with pytest.raises(error):
        rebuilt(**fields)
    assert list_versions() == []


def test_kaggle_kernels_are_pulled_once_and_ranked_by_their_listing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kagglesdk import kaggle_env

    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    source = write_corpus(tmp_path / "own", competitions=1, seed=12)
    with KaggleServer() as server:
        monkeypatch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.PROD, server.url)
        server.add_competition("contest", "Area Under Receiver Operating Characteristic Curve")
        for number, script in enumerate(sorted(source.rglob("*.py"))):
            about = {"competitionDataSources": ["contest"]}
            server.add_kernel(
                "contest", f"ann/k{number}", 1 - number / 10, metadata=about, source=script.read_text()
            )
        asked = {"source": "kaggle", "competitions": ["contest"], "path": tmp_path / "pulled"}
        version = open_version(rebuilt(**asked).version)
        before = len(server.calls)
        assert rebuilt(**asked).new is False
        assert len(server.calls) == before
    places = {row["kernel"]: row["place"] for row in version.table("solutions").to_pylist()}
    assert places == {"ann/k0": 1, "ann/k1": 2, "ann/k2": 3, "ann/k3": 4}


def command(folder: Path, profile: Path, home: Path, *more: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "LINGUACODUS_HOME": str(home), "PREFECT_HOME": str(home / "prefect")}
    arguments = ["--source", "kernels", "--path", str(folder), "--profile", str(profile), "--budget-usd", "1"]
    return subprocess.Popen(
        [LINGUACODUS, "dataset", "rebuild", *arguments, *more],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_killed_in_the_middle_it_goes_on_and_makes_no_answered_call_again(tmp_path: Path, home: Path) -> None:
    with Endpoint(delay=0.15).serving() as slow:
        folder, profile = (
            write_corpus(tmp_path / "pulled", 3, 8, seed=10),
            slow.profile(tmp_path, concurrency=2),
        )
        process = command(folder, profile, home)
        wanted = random.Random(0).randint(4, 12)
        until = time.monotonic() + 120
        while slow.calls < wanted and process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(0.5)
        assert wanted <= slow.calls < 24
        process = command(folder, profile, home)
        out, _ = process.communicate(timeout=150)
        assert process.returncode == 0, out
        twice = [prompt for prompt, count in slow.asked.items() if count > 1]
        assert len(twice) <= 2, "only calls that were under way may be made again"
        assert len(slow.asked) == 24
        assert "24 instructions" in out


def test_killed_while_prefects_server_starts_it_leaves_no_process(tmp_path: Path, home: Path) -> None:
    folder = write_corpus(tmp_path / "pulled", 1, 2, seed=13)
    process = command(folder, Endpoint().profile(tmp_path), home)
    until, server = time.monotonic() + 60, None
    while server is None and time.monotonic() < until:
        children = psutil.Process(process.pid).children()
        server = next((child for child in children if "uvicorn" in " ".join(child.cmdline())), None)
        time.sleep(0.05)
    assert server is not None
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs([server], timeout=20)
    assert alive == []


def test_the_batch_api_takes_one_run_to_submit_and_a_later_one_to_collect(tmp_path: Path) -> None:
    with BatchEndpoint().serving() as server:
        folder, profile = write_corpus(tmp_path / "pulled", seed=11), server.profile(tmp_path)
        first = kernels(folder, profile=str(profile), budget_usd=1, batch=True)
        assert "12 calls submitted in 1 batch" in first.pending
        assert (first.version, server.calls) == ("", 0)
        waiting = kernels(folder, profile=str(profile), budget_usd=1, batch=True)
        assert "12 wait in open batches" in waiting.pending
        with pytest.raises(DatasetError, match="12 of these calls wait in a batch"):
            kernels(folder, profile=str(profile), budget_usd=1)
        server.complete()
        last = kernels(folder, profile=str(profile), budget_usd=1, batch=True)
        assert (last.instructions, server.calls, len(server.batches)) == (12, 0, 1)


class BatchEndpoint(Endpoint):
    """Files and batches besides."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: dict[str, dict[str, object]] = {}
        self.files: dict[str, str] = {}
        handler = self._server.RequestHandlerClass
        chat = handler.do_POST  # type: ignore[attr-defined]
        endpoint = self

        def reply(request, value: object) -> None:
            content = value.encode() if isinstance(value, str) else json.dumps(value).encode()
            request.send_response(200)
            request.send_header("Content-Type", "application/json")
            request.send_header("Content-Length", str(len(content)))
            request.end_headers()
            request.wfile.write(content)

        def post(request) -> None:
            if request.path.endswith("/chat/completions"):
                chat(request)
                return
            body = request.rfile.read(int(request.headers["Content-Length"]))
            if request.path.endswith("/files"):
                name = f"file-{len(endpoint.files)}"
                lines = [part for part in body.decode().splitlines() if part.startswith('{"custom_id"')]
                endpoint.files[name] = "\n".join(lines)
                reply(request, {"id": name, "object": "file", "purpose": "batch", "bytes": 1, "created_at": 1,
                                "filename": "x", "status": "processed"})  # fmt: skip
                return
            asked = json.loads(body)
            name = f"batch-{len(endpoint.batches)}"
            endpoint.batches[name] = {
                "id": name, "object": "batch", "endpoint": asked["endpoint"], "status": "in_progress",
                "input_file_id": asked["input_file_id"], "completion_window": "24h",
                "created_at": int(time.time()), "metadata": asked.get("metadata"),
            }  # fmt: skip
            reply(request, endpoint.batches[name])

        def get(request) -> None:
            path = request.path.split("?")[0]
            if "/files/" in path:
                reply(request, endpoint.files[path.split("/")[-2]])
            elif path.endswith("/batches"):
                reply(request, {"object": "list", "data": list(endpoint.batches.values()), "has_more": False})
            else:
                reply(request, endpoint.batches[path.rsplit("/", 1)[-1]])

        handler.do_POST, handler.do_GET = post, get  # type: ignore[attr-defined]

    def complete(self) -> None:
        """Answer every batch."""
        for batch in self.batches.values():
            answered = []
            for line in self.files[str(batch["input_file_id"])].splitlines():
                asked = json.loads(line)
                body = self.answer(asked["body"])
                self.asked.clear()
                answered.append(
                    json.dumps(
                        {
                            "id": "r",
                            "custom_id": asked["custom_id"],
                            "response": {"status_code": 200, "body": body},
                        }
                    )
                )
            self.files["output"] = "\n".join(answered)
            batch |= {
                "status": "completed", "output_file_id": "output",
                "request_counts": {"total": len(answered), "completed": len(answered), "failed": 0},
            }  # fmt: skip
