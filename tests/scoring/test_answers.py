import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from linguacodus_core.cli import main
from linguacodus_core.cli.score import app
from linguacodus_core.errors import SubmissionInvalid, TaskError
from linguacodus_core.scoring import answers
from linguacodus_core.scoring.answers import score_submission


@pytest.fixture
def task(binary_task, monkeypatch):
    spec = binary_task(40)
    private = spec.folder / "private"
    private.mkdir()
    truth = pd.DataFrame({"id": range(5000, 5020), "y": [0, 1] * 10})
    truth[::-1].to_csv(private / "answers.csv", index=False)
    pd.DataFrame({"rank": [1, 2, 3], "score": [1.0, 0.8, 0.6]}).to_csv(
        private / "leaderboard.csv", index=False
    )
    monkeypatch.setattr(answers, "read_task", lambda folder: spec)
    (spec.folder / "out").mkdir()
    truth.assign(y=[0.1, 0.9] * 10).to_csv(spec.folder / "out" / "submission.csv", index=False)
    return spec


def test_a_folder_or_a_file_is_scored_and_placed(task):
    found = score_submission(task.folder / "out", task.folder)
    assert (found.score, found.rank, found.teams, found.medal) == (1.0, 1, 3, "bronze")
    assert found.percentile == pytest.approx(100 / 3)
    assert score_submission(task.folder / "out" / "submission.csv", task.folder) == found


def test_without_a_leaderboard_there_is_a_score_only(task):
    (task.folder / "private" / "leaderboard.csv").unlink()
    found = score_submission(task.folder / "out", task.folder)
    assert found.score == 1.0
    assert found.rank is found.percentile is found.medal is None


def test_a_wrong_submission_is_said(task):
    (task.folder / "out" / "submission.csv").write_text("id,y\n1,2\n")
    with pytest.raises(SubmissionInvalid, match="1 rows, 20 are expected"):
        score_submission(task.folder / "out", task.folder)


def test_no_answers_and_other_answers_are_said(task):
    key = task.folder / "private" / "answers.csv"
    key.write_text("id,y\n1,0\n")
    with pytest.raises(TaskError, match="other ids"):
        score_submission(task.folder / "out", task.folder)
    key.write_text("id,z\n1,0\n")
    with pytest.raises(TaskError, match="no column y"):
        score_submission(task.folder / "out", task.folder)
    key.unlink()
    with pytest.raises(TaskError, match=r"answers\.csv does not exist"):
        score_submission(task.folder / "out", task.folder)


def test_the_command_prints_score_rank_and_percentile(task):
    done = CliRunner().invoke(app, [str(task.folder / "out"), str(task.folder)])
    assert done.exit_code == 0
    assert "auc 1 (larger is better)" in done.output
    assert "rank 1 of 3 teams: top 33.3 %" in done.output


def test_the_command_prints_json(task):
    done = CliRunner().invoke(app, [str(task.folder / "out"), str(task.folder), "--json"])
    assert json.loads(done.output)["score"] == 1.0


def test_the_command_shows_a_message_instead_of_a_traceback(task, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["linguacodus", "score", str(task.folder / "nowhere"), str(task.folder)])
    with pytest.raises(SystemExit) as left:
        main()
    said = " ".join(capsys.readouterr().err.split())
    assert left.value.code == 2
    assert said.startswith("error: ")
    assert "does not exist" in said
    assert "try: " in said


def test_without_answers_the_remedy_says_how_to_make_them(task):
    (task.folder / "private" / "answers.csv").unlink()
    with pytest.raises(TaskError) as caught:
        score_submission(task.folder / "out", task.folder)
    assert "private/answers.csv with the columns id, y as in" in caught.value.remedy
    assert "private/leaderboard.csv with the column score" in caught.value.remedy
