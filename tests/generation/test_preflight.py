"""Bad input ends in one clear message before anything is started."""

import gzip
from pathlib import Path

import pandas as pd
import pytest

from linguacodus_core.cli import main
from linguacodus_core.errors import AdapterError, LinguacodusError, PromptError
from linguacodus_core.generation.preflight import check_output_folder, preflight
from linguacodus_core.generation.prompt_check import needed_prompts
from linguacodus_core.generation.request import GenerateRequest
from tests.adapter_files import SMOLLM2, registered
from tests.tiny import write_task


@pytest.fixture
def task(tmp_path: Path) -> Path:
    return write_task(tmp_path / "task", rows=300)


def check(task: Path, **changes: object) -> None:
    about = {"sources": ("prior",), **changes}
    preflight(GenerateRequest(task_dir=task, out=task.parent / "out", **about))


def edit(path: Path, change) -> None:
    change(pd.read_csv(path)).to_csv(path, index=False)


def no_description(task: Path) -> None:
    (task / "description.md").unlink()


def no_data(task: Path) -> None:
    (task / "data").rename(task / "elsewhere")


def empty_csv(task: Path) -> None:
    (task / "data" / "train.csv").write_text("")


def binary_csv(task: Path) -> None:
    (task / "data" / "train.csv").write_bytes(bytes(range(256)) * 50)


def truncated_gzip(task: Path) -> None:
    path = task / "data" / "train.csv"
    packed = gzip.compress(path.read_bytes())
    path.unlink()
    (task / "data" / "train.csv.gz").write_bytes(packed[: len(packed) // 2])


def sample_and_test_disagree(task: Path) -> None:
    edit(task / "data" / "sample_submission.csv", lambda frame: frame.assign(id=frame.id + 7000))


def target_absent_from_train(task: Path) -> None:
    edit(task / "data" / "train.csv", lambda frame: frame.drop(columns="rain"))


def constant_target(task: Path) -> None:
    edit(task / "data" / "train.csv", lambda frame: frame.assign(rain=1))


def duplicate_ids(task: Path) -> None:
    for name in ("test", "sample_submission"):
        edit(
            task / "data" / f"{name}.csv",
            lambda frame: frame.assign(id=frame.id.where(frame.index > 0, frame.id[1])),
        )


def one_row(task: Path) -> None:
    edit(task / "data" / "train.csv", lambda frame: frame[:1])


def unknown_metric(task: Path) -> None:
    (task / "description.md").write_text("# Rain\n\nSubmissions are evaluated by the taste of the jury.\n")


@pytest.mark.parametrize(
    "spoil",
    [
        no_description, no_data, empty_csv, binary_csv, truncated_gzip, sample_and_test_disagree,
        target_absent_from_train, constant_target, duplicate_ids, one_row, unknown_metric,
    ],
)  # fmt: skip
def test_a_spoiled_task_folder_is_one_clear_error(task: Path, spoil) -> None:
    spoil(task)
    with pytest.raises(LinguacodusError) as caught:
        check(task)
    assert caught.value.problem
    assert caught.value.remedy


def test_a_good_folder_passes(task: Path) -> None:
    check(task)


@pytest.mark.parametrize(
    ("out", "sign"),
    [
        (".", "is the task folder itself"),
        ("data", "is inside the task's data/"),
        ("private/a/b", "is inside the task's private/"),
        ("description.md", r"description\.md is a file, not a folder"),
        ("description.md/a", r"description\.md is a file, not a folder"),
    ],
)
def test_an_output_folder_that_would_do_harm_is_refused_first(task: Path, out: str, sign: str) -> None:
    no_data(task)
    with pytest.raises(LinguacodusError, match=sign) as caught:
        preflight(GenerateRequest(task_dir=task, out=task / out))
    assert "--out result" in caught.value.remedy


def test_an_output_folder_that_cannot_be_written_is_refused(
    task: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(LinguacodusError, match="cannot be written"):
        check_output_folder(task, task.parent / "new" / "out")


def test_an_output_folder_beside_the_data_is_fine(task: Path) -> None:
    check_output_folder(task, task / "results" / "first")
    assert not (task / "results").exists()


@pytest.mark.parametrize("places", ["7", "0", "", "1,1"])
def test_wrong_places_are_one_message(task: Path, places: str, monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["linguacodus", "generate", str(task), "-o", "out", "--places", places])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert "error: --places: give one or more of 1, 2, 3, each once" in capsys.readouterr().err


def test_an_unknown_profile_names_the_known_ones(task: Path) -> None:
    with pytest.raises(LinguacodusError, match="local") as caught:
        check(task, profile="locl")
    assert "locl" in str(caught.value)


def test_an_unknown_prompt_set_names_the_known_ones(task: Path) -> None:
    with pytest.raises(PromptError, match="papr") as caught:
        check(task, prompt_set="papr")
    assert "paper" in caught.value.remedy


@pytest.mark.parametrize(
    ("spoilt", "sign"),
    [
        ("{{ task }}\n{{ wheather }}", "does not declare"),
        ("{{ task", "not a valid template"),
    ],
)
def test_a_prompt_that_comes_late_is_checked_before_any_call(task: Path, spoilt: str, sign: str) -> None:
    folder = task.parent / "mine"
    folder.mkdir()
    front = "---\nname: resolve\nversion: 1\ndescription: d\nvariables: [task]\n---\n"
    (folder / "resolve.md").write_text(front + spoilt)
    with pytest.raises(PromptError, match=sign):
        check(task, prompt_set=str(folder), sources=("plan",))
    check(task, prompt_set=str(folder), sources=("prior",))


def test_a_variable_that_nobody_fills_is_said_before_any_call(task: Path) -> None:
    folder = task.parent / "mine"
    folder.mkdir()
    (folder / "plan.md").write_text(
        "---\nname: plan\nversion: 1\ndescription: d\nvariables: [task, weather]\n---\n{{ task }}{{ weather }}"
    )
    with pytest.raises(PromptError, match="asks for weather, which nobody fills"):
        check(task, prompt_set=str(folder), sources=("plan",))


@pytest.mark.parametrize("prompt_set", ["default", "paper"])
def test_every_prompt_of_the_shipped_sets_is_filled(prompt_set: str) -> None:
    request = GenerateRequest(
        task_dir=Path("t"), out=Path("o"), sources=("plan", "staged", "whole", "direct")
    )
    names = {prompt.name for prompt in needed_prompts(request, prompt_set)}
    assert {"instruction", "critique", "resolve", "plan", "direct", "repair"} <= names
    assert ("integration" in names) == (prompt_set == "paper")


def test_an_adapter_is_checked_before_anything_starts(task: Path, home: Path, tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match="no adapter is promoted"):
        check(task, profile="tuned")
    registered(tmp_path, "small-sft-0123abcd", prompt_set="paper")
    registered(tmp_path, "alien-sft-0123abcd", base_identity="another")
    check(task, profile="adapter:small")
    with pytest.raises(AdapterError, match="adapter of another base"):
        check(task, profile="adapter:alien")


def test_prompts_that_the_adapter_was_not_trained_on_are_a_warning(
    task: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fetched: list[str] = []
    monkeypatch.setattr("linguacodus_core.generation.preflight.fetch_model", fetched.append)
    registered(tmp_path, "small-sft-0123abcd", prompt_set="paper")
    check(task, profile="adapter:small", sources=("plan",))
    assert "try --prompt-set paper" in caplog.text
    assert fetched == ["qwen2.5-coder-0.5b-instruct-q4_k_m", SMOLLM2]
    caplog.clear()
    check(task, profile="adapter:small", sources=("plan",), prompt_set="paper")
    assert "--prompt-set" not in caplog.text


def test_without_bubblewrap_the_message_says_how_to_get_it(
    task: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from linguacodus_core.sandbox import bubblewrap

    monkeypatch.setenv("PATH", "/nonexistent")
    getattr(bubblewrap.require, "cache_clear", lambda: None)()
    with pytest.raises(LinguacodusError, match="bubblewrap") as caught:
        check(task)
    assert "apt-get install bubblewrap" in str(caught.value)
    getattr(bubblewrap.require, "cache_clear", lambda: None)()
    check(task, sandbox="subprocess")


def test_the_command_prints_the_problem_and_the_remedy_and_no_traceback(
    task: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    constant_target(task)
    monkeypatch.setattr("sys.argv", ["linguacodus", "generate", str(task), "--out", str(task.parent / "out")])
    with pytest.raises(SystemExit) as left:
        main()
    said = capsys.readouterr()
    assert left.value.code == 2
    assert "error:" in said.err
    assert "rain" in said.err
    assert "Traceback" not in said.err + said.out


def test_an_option_out_of_bounds_is_one_message(task: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["linguacodus", "generate", str(task), "-o", "out", "--sources", "magic"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert "sources" in capsys.readouterr().err
