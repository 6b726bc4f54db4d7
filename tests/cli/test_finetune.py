"""The command `finetune`: what it says before, instead of and after training."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from linguacodus_core.cli import finetune, main
from linguacodus_core.cli.app import app
from linguacodus_core.errors import GateRefused, LinguacodusError
from linguacodus_core.training import launch
from linguacodus_core.training.request import FinetuneRequest, FinetuneResult
from tests.training.versions import publish

runner = CliRunner()


@pytest.fixture(autouse=True)
def _own_home(home: Path) -> None:
    pass


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[FinetuneRequest]:
    """The requests that reach the flow, which answers with an adapter that passed."""
    asked: list[FinetuneRequest] = []

    def answer(request: FinetuneRequest) -> FinetuneResult:
        asked.append(request)
        return FinetuneResult(
            adapter="small-sft-01234567",
            folder="/adapters/small-sft-01234567",
            passed=True,
            promoted=request.promote,
            checks=("passed  completion loss lower: 2.31 -> 1.42",),
            steps=1200,
            loss=1.42,
            seconds=33.0,
            new=True,
        )

    monkeypatch.setattr("linguacodus_core.cli.flows.flow", lambda name: {"finetune": answer}[name])
    monkeypatch.setattr("linguacodus_core.training.preflight.require_stack", lambda track: None)
    return asked


def ran(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["linguacodus", "finetune", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    return int(left.value.code or 0)


def test_every_option_reaches_the_flow(requests: list[FinetuneRequest], tmp_path: Path) -> None:
    first, second = publish({"rain": "train", "wind": "validation"}), publish({"fog": "train"}, source="b")
    said = runner.invoke(
        app,
        ["finetune", "--dataset", first.name, "--dataset", second.name, "--config", "qwen2.5-coder-1.5b",
         "--preferences", "places", "--preferences", str(tmp_path), "--promote", "--max-steps", "7",
         "--seed", "3", "--track", "none"],
    )  # fmt: skip
    assert said.exit_code == 0, said.output
    assert requests == [
        FinetuneRequest(
            datasets=(first.name, second.name),
            config="qwen2.5-coder-1.5b",
            preferences=("places", str(tmp_path.resolve())),
            promote=True,
            max_steps=7,
            seed=3,
        )
    ]


def test_the_end_says_the_checks_where_it_lies_and_what_comes_next(requests: list[FinetuneRequest]) -> None:
    publish({"rain": "train", "wind": "validation"})
    said = runner.invoke(app, ["finetune"]).output
    assert requests[0] == FinetuneRequest()
    for words in (
        "small-sft-01234567  (new)",
        "passed  completion loss lower: 2.31 -> 1.42",
        "see /adapters/small-sft-01234567/report.html",
        "linguacodus adapters promote small-sft-01234567",
        "linguacodus generate TASK_DIR --out DIR --profile tuned",
    ):
        assert words in said
    promoted = runner.invoke(app, ["finetune", "--promote"]).output
    assert "(new, promoted)" in promoted
    assert "adapters promote" not in promoted


def test_a_refusal_by_the_gate_is_exit_status_3_with_its_words(
    requests: list[FinetuneRequest], monkeypatch, capsys
) -> None:
    publish({"rain": "train", "wind": "validation"})

    def refuse(request: FinetuneRequest) -> FinetuneResult:
        raise GateRefused("the gate refuses small-sft-0, 1 check fails:\n  loss: 2.0 -> 2.1", "tune on more")

    monkeypatch.setattr("linguacodus_core.cli.flows.flow", lambda name: refuse)
    assert ran(monkeypatch) == 3
    assert capsys.readouterr().err == (
        "error: the gate refuses small-sft-0, 1 check fails:\n  loss: 2.0 -> 2.1\n  try: tune on more\n"
    )


def test_any_other_error_is_exit_status_2(monkeypatch, capsys) -> None:
    assert ran(monkeypatch, "--config", "smollm") == 2
    said = capsys.readouterr().err
    assert "did you mean smollm2-135m-cpu" in said
    assert "Traceback" not in said


def test_ctrl_c_says_that_the_same_command_goes_on(requests, monkeypatch, capsys) -> None:
    publish({"rain": "train", "wind": "validation"})

    def stop(request: FinetuneRequest) -> FinetuneResult:
        raise KeyboardInterrupt

    monkeypatch.setattr("linguacodus_core.cli.flows.flow", lambda name: stop)
    assert ran(monkeypatch) == 130
    assert capsys.readouterr().err.strip() == "stopped; the same command goes on from the last checkpoint"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--max-steps", "0"], "--max-steps"),
        (["--dataset", "latest", "--dataset", "latest"], "--dataset: one of them is named twice"),
        (["--shuffle-completions", "--promote"], "the control must fail"),
        (["--dataset", "ffff"], "ffff"),
        (["--from-adapter", "none-such"], "there is no adapter yet"),
        (["--config", "missing.toml"], "missing.toml"),
    ],
)
def test_bad_input_is_told_before_anything_starts(arguments: list[str], words: str, monkeypatch) -> None:
    publish({"rain": "train", "wind": "validation"})
    monkeypatch.setattr("linguacodus_core.cli.flows.flow", lambda name: pytest.fail("the flow was started"))
    with pytest.raises(LinguacodusError) as told:
        runner.invoke(app, ["finetune", *arguments], catch_exceptions=False)
    assert words in str(told.value)


def test_an_unknown_tracker_is_told_with_those_there_are() -> None:
    said = runner.invoke(app, ["finetune", "--track", "wandb"])
    assert said.exit_code == 2
    assert "tensorboard" in said.output


def test_a_missing_training_stack_is_told_with_the_command_that_mends_it(monkeypatch) -> None:
    publish({"rain": "train", "wind": "validation"})
    found = launch.importlib.util.find_spec
    monkeypatch.setattr(
        launch.importlib.util, "find_spec", lambda name: None if name == "torch" else found(name)
    )
    with pytest.raises(LinguacodusError) as told:
        runner.invoke(app, ["finetune"], catch_exceptions=False)
    assert told.value.remedy == "pip install 'linguacodus[train]'"


def test_a_dry_run_counts_and_trains_nothing_even_without_the_stack(monkeypatch) -> None:
    publish({"rain": "train", "snow": "train", "wind": "validation"}, each=4)
    monkeypatch.setattr(
        "linguacodus_core.training.preflight.require_stack", lambda track: pytest.fail("asked")
    )
    monkeypatch.setattr("linguacodus_core.cli.flows.flow", lambda name: pytest.fail("the flow was started"))
    said = runner.invoke(app, ["finetune", "--dry-run", "--max-steps", "5"], catch_exceptions=False).output
    for words in ("8 examples of 2 competitions", "4 examples of 1 competitions held out", "about 5 steps"):
        assert words in said
    assert "nothing was trained" in said


def test_configurations_are_listed_with_their_base() -> None:
    said = runner.invoke(app, ["finetune", "--list-configs"])
    assert said.exit_code == 0
    for words in ("smollm2-135m-cpu", "llama2-7b-paper", "base meta-llama/Llama-2-7b-chat-hf"):
        assert words in said.output


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['linguacodus', 'finetune', '--help'];"
        "from linguacodus_core.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'prefect', 'pandas', 'sklearn', 'openai', 'torch', 'pyarrow'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_help_teaches(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = runner.invoke(app, ["finetune", "--help"]).output
    for words in ("exit status 3", "--list-configs", "--dry-run", "places: of two"):
        assert words in said
    assert finetune.finetune.__doc__
