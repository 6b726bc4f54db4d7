import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linguacodus_core.errors import CorpusError
from linguacodus_core.sources import kaggle_client, kaggle_session
from linguacodus_core.sources.kaggle_answers import competition_slug, kernel_name
from linguacodus_core.sources.kaggle_api import KaggleSource, Pulled, PullRequest, pull
from linguacodus_core.sources.kaggle_client import Kaggle
from linguacodus_core.sources.kaggle_listing import folder_name

from .kaggle_server import (
    KEY,
    TOKEN,
    USER,
    KaggleServer,
    answer,
    cut,
    garbage,
    hang,
    hidden_status,
    status,
    trickle,
)

TITANIC = PullRequest(("titanic",), pause=0)


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials but the test's, no proxy, short waits."""
    for name in [*os.environ]:
        if name.startswith("KAGGLE_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    (tmp_path / "user").mkdir()
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    api = kaggle_session.package().KaggleApi
    monkeypatch.setattr(api, "config", str(tmp_path / "user" / "kaggle.json"))
    monkeypatch.setattr(kaggle_client, "FIRST_WAIT", 0.005)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[KaggleServer]:
    from kagglesdk import kaggle_env

    with KaggleServer() as kaggle:
        monkeypatch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.PROD, kaggle.url)
        yield kaggle


@pytest.fixture
def titanic(server: KaggleServer) -> KaggleServer:
    """Five kernels of one competition, ann/kernel-5 the best."""
    server.add_competition("titanic")
    for n in range(1, 6):
        server.add_kernel("titanic", f"ann/kernel-{n}", n / 10, totalVotes=10 * n)
    return server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "pulled"


def read(file: Path) -> Any:
    return json.loads(file.read_text())


def listed(folder: Path, competition: str = "titanic") -> list[tuple[str, int | None]]:
    return [(row["kernel"], row["listed"]) for row in read(folder / competition / "listing.json")]


def whole(folder: Path) -> set[str]:
    return {file.parent.name for file in folder.glob("[!.]*/*/kernel-metadata.json")}


def quiet(_: str) -> None:
    pass


# --- what is fetched -------------------------------------------------------------------------------


def test_a_pull_leaves_the_competition_its_listing_and_its_kernels(titanic, folder):
    done = pull(TITANIC, folder, quiet)
    assert done == Pulled(competitions=1, listed=5, pulled=5, there=0, failed={})
    assert listed(folder) == [(f"ann/kernel-{6 - n}", n) for n in range(1, 6)]
    assert read(folder / "titanic" / "listing.json")[0] == {
        "kernel": "ann/kernel-5",
        "listed": 1,
        "votes": 50,
        "comments": None,
        "score": None,
        "title": "Title of ann/kernel-5",
    }
    assert read(folder / "titanic" / "competition.json") == {
        "competition": "titanic",
        "title": "Titanic",
        "description": "One line about titanic.",
        "metric_name": "Categorization Accuracy",
        "tags": ["tabular data"],
        "link": "https://www.kaggle.com/competitions/titanic",
    }
    assert (folder / "titanic" / "ann__kernel-1" / "kernel-1.py").read_text() == "# ann/kernel-1\nprint(1)\n"
    assert not (folder / ".part").exists()


@pytest.mark.parametrize(
    ("kind", "language"), [("script", "python"), ("notebook", "python"), ("script", "r"), ("notebook", "r")]
)
def test_a_kernel_is_left_as_kaggles_own_pull_leaves_it(titanic, folder, tmp_path, kind, language):
    titanic.add_kernel("titanic", "ann/one-more", kernelType=kind, language=language, source="{\u00e4\n}")
    ours = Kaggle(pause=0).kernel("ann/one-more")
    theirs = tmp_path / "theirs"
    kaggle_session.sign_in().kernels_pull("ann/one-more", str(theirs), metadata=True)
    assert {file.name for file in theirs.iterdir()} == {"kernel-metadata.json", ours.file}
    assert (theirs / ours.file).read_bytes() == ours.source
    assert read(theirs / "kernel-metadata.json") == ours.metadata


def test_the_best_kernel_is_listed_first_whichever_way_the_metric_goes(server, folder):
    server.add_competition("lower", "Root Mean Squared Logarithmic Error")
    server.add_competition("higher", "Area Under Receiver Operating Characteristic Curve")
    for competition in ("lower", "higher"):
        for score in (0.2, 0.9, 0.5):
            server.add_kernel(competition, f"{competition}/score-{score * 10:.0f}", score)
        server.add_kernel(competition, f"{competition}/no-score")
    pull(PullRequest(("lower", "higher"), pause=0), folder, quiet)
    assert [kernel for kernel, _ in listed(folder, "lower")][:2] == ["lower/score-2", "lower/score-5"]
    assert [kernel for kernel, _ in listed(folder, "higher")][:2] == ["higher/score-9", "higher/score-5"]


def test_where_the_api_names_no_metric_the_evaluation_page_tells_the_direction(server, folder):
    server.add_competition("prices", None)
    server.pages["prices"] = {
        "rules": "Accuracy counts.",
        "Evaluation": "<p>Submissions are evaluated on the root mean squared error between x &amp; y.</p>",
    }
    server.add_kernel("prices", "ann/worse", 0.9)
    server.add_kernel("prices", "ann/better", 0.1)
    pull(PullRequest(("prices",), pause=0), folder, quiet)
    assert listed(folder, "prices") == [("ann/better", 1), ("ann/worse", 2)]
    description = read(folder / "prices" / "competition.json")["description"]
    assert description.startswith("One line about prices.\n\nEvaluation\n\nSubmissions are evaluated")
    assert "x & y" in description
    assert "Accuracy counts" not in description


def test_a_metric_that_is_not_known_gives_no_places_and_says_so(server, folder):
    server.add_competition("odd", "Frobnication Index")
    server.add_kernel("odd", "ann/plain", 0.9, totalVotes=1)
    server.add_kernel("odd", "ann/popular", 0.1, totalVotes=9)
    said: list[str] = []
    pull(PullRequest(("odd",), pause=0), folder, said.append)
    assert listed(folder, "odd") == [("ann/popular", None), ("ann/plain", None)]
    assert any("Frobnication Index" in line for line in said)


@pytest.mark.parametrize("page_tokens", [False, True])
def test_listings_are_read_page_by_page_up_to_what_is_wanted(server, folder, page_tokens):
    server.page_tokens = page_tokens
    server.add_competition("titanic")
    for n in range(230):
        server.add_kernel("titanic", f"ann/kernel-{n}", 1 - n / 1000)
    kernels, unusable = Kaggle(pause=0).kernels("titanic", "scoreDescending", 150)
    assert ([one.kernel for one in kernels], unusable) == ([f"ann/kernel-{n}" for n in range(150)], 0)
    assert server.asked("ListKernels") == {"titanic": 2}
    kernels, _ = Kaggle(pause=0).kernels("titanic", "scoreDescending", 1000)
    assert len(kernels) == 230
    assert server.asked("ListKernels") == {"titanic": 5}


def test_a_server_that_gives_the_same_page_for_ever_is_not_asked_for_ever(server):
    page = [{"ref": f"ann/kernel-{n}"} for n in range(100)]
    server.faults["ListKernels", "titanic"] = [answer({"kernels": page, "nextPageToken": "on"})] * 9
    kernels, _ = Kaggle(pause=0).kernels("titanic", "scoreDescending", 1000)
    assert len(kernels) == 100
    assert server.asked("ListKernels") == {"titanic": 2}


def test_a_later_page_that_is_refused_leaves_the_pages_before_it(server):
    server.page_tokens = True
    server.add_competition("titanic")
    for n in range(150):
        server.add_kernel("titanic", f"ann/kernel-{n}")
    server.faults["ListKernels", "titanic"] = [
        lambda handler: handler.send(200, server.answer("ListKernels", server.bodies[-1])),
        status(400),
    ]
    assert len(Kaggle(pause=0).kernels("titanic", "voteCount", 1000)[0]) == 100


def test_without_names_the_competitions_are_those_that_kaggle_lists(server, folder):
    for n in range(45):
        server.add_competition(f"series-{n}")
    server.add_competition("other")
    request = PullRequest(most_competitions=30, search="series", pause=0)
    done = pull(request, folder, quiet)
    assert done.competitions == 30
    assert {entry.name for entry in folder.iterdir() if entry.is_dir()} == {f"series-{n}" for n in range(30)}
    assert server.asked("ListCompetitions") == {"series": 2}
    assert not server.asked("GetCompetition")
    assert pull(request, folder, quiet) == done
    assert server.asked("ListCompetitions") == {"series": 2}


def test_an_order_or_category_that_kaggle_does_not_know_is_named_with_those_it_knows(server, folder):
    with pytest.raises(CorpusError, match=r"order 'loudness'[\s\S]*numberOfTeams"):
        pull(PullRequest(sort_by="loudness"), folder, quiet)
    with pytest.raises(CorpusError, match="category 'jazz'"):
        pull(PullRequest(category="jazz"), folder, quiet)


def test_a_competition_may_be_given_by_its_address_and_is_searched_for_where_it_is_not_told(titanic, folder):
    titanic.faults["GetCompetition", "titanic"] = [status(403)]
    done = pull(PullRequest(("https://www.kaggle.com/competitions/titanic/",), pause=0), folder, quiet)
    assert (done.competitions, done.pulled) == (1, 5)


def test_a_competition_that_kaggle_does_not_have_is_reported_and_alone_is_an_error(titanic, folder):
    done = pull(PullRequest(("titanic", "titanik"), pause=0), folder, quiet)
    assert (done.competitions, done.failed) == (1, {"competition: gone (404)": 1})
    with pytest.raises(CorpusError, match=r"titanik \(gone \(404\)\)"):
        pull(PullRequest(("titanik",), pause=0), folder, quiet)
    with pytest.raises(CorpusError, match="not the name of a Kaggle competition"):
        pull(PullRequest(("../titanic",), pause=0), folder, quiet)


# --- going on where it was -------------------------------------------------------------------------


def test_a_second_pull_asks_nothing_and_needs_no_credentials(titanic, folder, monkeypatch):
    pull(TITANIC, folder, quiet)
    asked = len(titanic.calls)
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    assert pull(TITANIC, folder, quiet) == Pulled(1, 5, 0, 5, {})
    assert len(titanic.calls) == asked


def test_an_old_listing_is_asked_for_again_and_only_new_kernels_are_pulled(titanic, folder):
    pull(TITANIC, folder, quiet)
    titanic.add_kernel("titanic", "bob/newest-one", 0.99)
    assert pull(TITANIC, folder, quiet).listed == 5
    done = pull(PullRequest(("titanic",), pause=0, refresh_hours=0), folder, quiet)
    assert (done.listed, done.pulled, done.there) == (6, 1, 5)
    assert listed(folder)[0] == ("bob/newest-one", 1)
    assert set(titanic.asked("GetKernel").values()) == {1}


def test_a_listing_is_asked_for_again_when_more_is_wanted_or_it_was_damaged(titanic, folder):
    def pulled(kernels: int) -> int:
        return pull(PullRequest(("titanic",), kernels_per_competition=kernels, pause=0), folder, quiet).pulled

    assert [pulled(2), pulled(1), pulled(4), pulled(100), pulled(200)] == [2, 0, 2, 1, 0]
    assert titanic.asked("ListKernels") == {"titanic": 3}
    (folder / "titanic" / "listing.json").write_text("[{")
    (folder / "titanic" / "ann__kernel-1" / "kernel-1.py").unlink()
    assert pulled(200) == 1
    assert titanic.asked("ListKernels") == {"titanic": 4}


def test_a_kernel_of_two_competitions_is_pulled_once(titanic, folder):
    titanic.add_competition("spaceship")
    titanic.kernels["spaceship"] = titanic.kernels["titanic"][:2]
    both = PullRequest(("titanic", "spaceship"), pause=0)
    assert pull(both, folder, quiet) == Pulled(2, 7, 5, 2, {})
    assert pull(both, folder, quiet) == Pulled(2, 7, 0, 7, {})
    assert set(titanic.asked("GetKernel").values()) == {1}
    assert (folder / "spaceship" / "ann__kernel-1" / "kernel-1.py").is_file()


def test_two_pulls_into_one_folder_do_not_get_into_each_others_way(titanic, folder):
    def pull_again(_: str) -> None:
        pull(TITANIC, folder, quiet)

    with pytest.raises(CorpusError, match="another pull works in"):
        pull(TITANIC, folder, pull_again)
    assert pull(TITANIC, folder, quiet).pulled == 5


CHILD = """
import sys
from pathlib import Path
from kagglesdk import kaggle_env
from linguacodus_core.sources.kaggle_api import PullRequest, pull
kaggle_env._env_to_endpoint[kaggle_env.KaggleEnv.PROD] = sys.argv[1]
pull(PullRequest(("titanic",), pause=0), Path(sys.argv[2]), print)
"""


def test_kill_9_in_the_middle_loses_nothing_and_the_next_pull_goes_on(server, folder):
    server.add_competition("titanic")
    for n in range(40):
        server.add_kernel("titanic", f"ann/kernel-{n}", n, source=f"x = {n}\n" * 2000)
    server.delay = 0.01
    finished: set[str] = set()
    kills = 0
    for moment in (7, 21):
        child = subprocess.Popen([sys.executable, "-c", CHILD, server.url, str(folder)])
        until = time.monotonic() + 60
        while sum(server.asked("GetKernel").values()) < moment and time.monotonic() < until:
            time.sleep(0.002)
        os.kill(child.pid, signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        kills += 1
        assert finished <= whole(folder)
        finished = whole(folder)
        assert 0 < len(finished) < 40
    server.delay = 0.0
    done = pull(TITANIC, folder, quiet)
    assert (done.pulled, done.there) == (40 - len(finished), len(finished))
    asked = server.asked("GetKernel")
    assert whole(folder) == {folder_name(kernel) for kernel in asked}
    assert len(asked) == 40
    assert sum(asked.values()) <= 40 + kills
    assert server.asked("ListKernels") == {"titanic": 1}
    for n in range(40):
        assert (folder / "titanic" / f"ann__kernel-{n}" / f"kernel-{n}.py").read_text() == f"x = {n}\n" * 2000
    assert not (folder / ".part").exists()


# --- the source ------------------------------------------------------------------------------------


@pytest.fixture
def two_competitions(titanic: KaggleServer, folder: Path) -> Path:
    titanic.add_competition("prices", "RMSE")
    for n in (1, 2):
        sources = {"competitionDataSources": ["prices"]}
        titanic.add_kernel("prices", f"bob/kernel-{n}", n, metadata=sources, source=f"y = {n}\n")
    pull(PullRequest(("titanic", "prices"), pause=0), folder, quiet)
    return folder


def test_the_source_reads_what_was_pulled_in_the_order_it_was_listed(two_competitions):
    source = KaggleSource(two_competitions, ["titanic", "prices"])
    assert source.competitions()["competition"].to_pylist() == ["prices", "titanic"]
    kernels = {row["kernel"]: row for row in source.kernels().to_pylist()}
    assert {name: row["listed"] for name, row in kernels.items() if row["competition"] == "prices"} == {
        "bob/kernel-1": 1,
        "bob/kernel-2": 2,
    }
    assert (kernels["ann/kernel-5"]["listed"], kernels["ann/kernel-5"]["votes"]) == (1, 50)
    assert kernels["ann/kernel-5"]["score"] is None
    code = {row["kernel"]: row["code"] for batch in source.blocks() for row in batch.to_pylist()}
    assert len(code) == 7
    assert code["bob/kernel-2"].strip() == "y = 2"


def test_the_source_reads_only_the_competitions_that_are_named(two_competitions):
    (two_competitions / "prices" / "bob__kernel-1" / "kernel-1.py").unlink()
    prices = KaggleSource(two_competitions, ["prices"])
    assert prices.competitions()["title"].to_pylist() == ["Prices"]
    assert prices.kernels()["kernel"].to_pylist() == ["bob/kernel-2"]
    assert {row["kernel"] for batch in prices.blocks() for row in batch.to_pylist()} == {"bob/kernel-2"}
    assert prices.unreadable()["row"].to_pylist() == ["bob/kernel-1"]
    titanic = KaggleSource(two_competitions, ["https://www.kaggle.com/competitions/titanic"])
    assert titanic.kernels().num_rows == 5
    assert titanic.unreadable().num_rows == 0
    assert (
        len(
            {
                prices.fingerprint(),
                titanic.fingerprint(),
                KaggleSource(two_competitions, ["titanic", "prices"]).fingerprint(),
            }
        )
        == 3
    )


def test_pulling_again_does_not_change_the_fingerprint_and_a_new_kernel_does(titanic, two_competitions):
    before = KaggleSource(two_competitions, ["titanic"]).fingerprint()
    anew = PullRequest(("titanic",), pause=0, refresh_hours=0)
    pull(anew, two_competitions, quiet)
    assert KaggleSource(two_competitions, ["titanic"]).fingerprint() == before
    titanic.add_kernel("titanic", "ann/one-more", 0.7)
    pull(anew, two_competitions, quiet)
    assert KaggleSource(two_competitions, ["titanic"]).fingerprint() != before


# --- when Kaggle does not answer as one would wish -------------------------------------------------


@pytest.mark.parametrize("fault", [status(500), status(503), status(429), hidden_status(502), cut, garbage])
def test_what_may_pass_is_asked_again(titanic, folder, fault):
    titanic.faults["IntrospectToken", ""] = [status(500)]
    titanic.faults["ListKernels", "titanic"] = [fault, answer({"kernels": 3}), fault]
    titanic.faults["GetKernel", "ann/kernel-3"] = [fault]
    assert pull(TITANIC, folder, quiet) == Pulled(1, 5, 5, 0, {})


def test_a_server_that_is_slow_or_endless_is_given_up_in_time(titanic, folder, monkeypatch):
    monkeypatch.setattr(kaggle_session, "READ_SECONDS", 0.1)
    monkeypatch.setattr(kaggle_session, "CALL_SECONDS", 0.2)
    titanic.faults["GetKernel", "ann/kernel-5"] = [hang(0.4)]
    titanic.faults["GetKernel", "ann/kernel-4"] = [trickle(5.0)]
    began = time.monotonic()
    assert pull(TITANIC, folder, quiet).pulled == 5
    assert time.monotonic() - began < 4


def test_retry_after_is_kept_to_and_said(titanic, folder):
    titanic.faults["GetKernel", "ann/kernel-5"] = [status(429, Retry_After="1")]
    said: list[str] = []
    assert pull(TITANIC, folder, said.append).pulled == 5
    first, second = [
        at for at, call in zip(titanic.times, titanic.calls, strict=True) if call[1] == "ann/kernel-5"
    ]
    assert second - first >= 1.0
    assert any("429" in line and "asking again in 1 s" in line for line in said)


def test_a_rate_limit_that_lasts_ends_the_pull_with_word_of_how_to_go_on(titanic, folder):
    titanic.faults["GetKernel", "ann/kernel-3"] = [status(429)] * kaggle_client.ATTEMPTS
    with pytest.raises(CorpusError, match=r"limits how often[\s\S]*the same command again") as caught:
        pull(TITANIC, folder, quiet)
    assert caught.value.remedy
    assert pull(TITANIC, folder, quiet) == Pulled(1, 5, 3, 2, {})
    assert titanic.asked("GetKernel")["ann/kernel-3"] == kaggle_client.ATTEMPTS + 1


def test_a_wait_longer_than_one_would_wait_is_not_waited_for(titanic, folder):
    titanic.faults["ListKernels", "titanic"] = [status(429, Retry_After="7200")]
    began = time.monotonic()
    with pytest.raises(CorpusError, match="asks to wait 7200 s"):
        pull(TITANIC, folder, quiet)
    assert time.monotonic() - began < 5


def test_calls_keep_the_pause_between_them(titanic, folder):
    pull(PullRequest(("titanic",), pause=0.05), folder, quiet)
    after_sign_in = titanic.times[1:]
    pauses = 0.05 * (len(after_sign_in) - 1)
    assert after_sign_in[-1] - after_sign_in[0] > 0.8 * pauses > 0.1


def test_kernels_that_are_private_or_gone_are_skipped_and_not_asked_for_for_ever(titanic, folder):
    titanic.faults["GetKernel", "ann/kernel-5"] = [status(403)] * 99
    titanic.faults["GetKernel", "ann/kernel-2"] = [hidden_status(404)] * 99
    failed = {"private, or rules not accepted (403)": 1, "gone (404)": 1}
    assert pull(TITANIC, folder, quiet) == Pulled(1, 5, 3, 0, failed)
    assert pull(TITANIC, folder, quiet) == Pulled(1, 5, 0, 3, failed)
    assert titanic.asked("GetKernel")["ann/kernel-5"] == 1
    for _ in range(5):
        anew = pull(PullRequest(("titanic",), pause=0, refresh_hours=0), folder, quiet)
        assert anew == Pulled(1, 5, 0, 3, failed)
    assert titanic.asked("GetKernel") == {f"ann/kernel-{n}": 3 if n in (2, 5) else 1 for n in range(1, 6)}


def test_a_kernel_that_was_refused_and_is_given_later_is_a_failure_no_more(titanic, folder):
    titanic.faults["GetKernel", "ann/kernel-5"] = [status(403)]
    pull(TITANIC, folder, quiet)
    done = pull(PullRequest(("titanic",), pause=0, refresh_hours=0), folder, quiet)
    assert done == Pulled(1, 5, 1, 4, {})
    assert read(folder / "titanic" / ".pull.json")["failed"] == {}


def test_one_kernel_that_never_answers_does_not_stop_the_others(titanic, folder):
    titanic.faults["GetKernel", "ann/kernel-4"] = [status(500)] * 99
    assert pull(TITANIC, folder, quiet) == Pulled(1, 5, 4, 0, {"no answer": 1})
    for _ in range(4):
        assert pull(TITANIC, folder, quiet) == Pulled(1, 5, 0, 4, {"no answer": 1})
    assert titanic.asked("GetKernel")["ann/kernel-4"] == 3 * kaggle_client.ATTEMPTS


def test_kaggle_being_down_ends_the_pull_and_is_held_against_no_kernel(titanic, folder):
    titanic.faults["GetKernel", "ann/kernel-5"] = [status(404)]
    titanic.faults["GetKernel", "*"] = [status(502)] * 99
    with pytest.raises(CorpusError, match=r"no answer from Kaggle[\s\S]*502[\s\S]*same command again"):
        pull(TITANIC, folder, quiet)
    titanic.faults.clear()
    assert pull(TITANIC, folder, quiet) == Pulled(1, 5, 4, 0, {"gone (404)": 1})


def test_no_network_is_one_error_that_says_how_to_go_on(server, folder):
    server.__exit__()
    with pytest.raises(CorpusError, match=r"no answer from Kaggle[\s\S]*connection broke[\s\S]*same command"):
        pull(TITANIC, folder, quiet)


# --- credentials -----------------------------------------------------------------------------------


def everything_said(error: BaseException, said: list[str], captured: Any) -> str:
    seen: list[str] = [repr(error), str(error), repr(error.__cause__), *said, captured.out, captured.err]
    return "\n".join(seen)


@pytest.mark.parametrize("inactive", [False, True])
def test_without_credentials_one_error_says_how_to_get_them(titanic, folder, monkeypatch, capfd, inactive):
    if inactive:
        titanic.active = False
    else:
        monkeypatch.delenv("KAGGLE_API_TOKEN")
    with pytest.raises(CorpusError, match=r"no Kaggle credentials[\s\S]*KAGGLE_API_TOKEN[\s\S]*~/.kaggle"):
        pull(TITANIC, folder, quiet)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("broken", [TOKEN + "\nX-More: 1", TOKEN + "\u2026"])
@pytest.mark.parametrize("verbose", ["", "1"])
def test_the_token_is_in_no_error_no_file_and_no_output(titanic, folder, monkeypatch, capfd, broken, verbose):
    monkeypatch.setenv("VERBOSE", verbose)
    said: list[str] = []
    monkeypatch.setattr(kaggle_session.package().KaggleApi, "args", ["--verbose"] if verbose else [])
    titanic.faults["GetKernel", "ann/kernel-5"] = [status(401), status(403)]
    pull(TITANIC, folder, said.append)
    monkeypatch.setenv("KAGGLE_API_TOKEN", broken)
    with pytest.raises(CorpusError, match="characters that no token has") as caught:
        pull(PullRequest(("titanic",), pause=0, refresh_hours=0), folder, said.append)
    assert "do-not-show" not in everything_said(caught.value, said, capfd.readouterr())
    for file in folder.rglob("*"):
        assert file.is_dir() or b"do-not-show" not in file.read_bytes()


def test_a_token_that_the_package_takes_for_a_file_is_not_shown_either(titanic, folder, monkeypatch):
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN * 30)
    with pytest.raises(CorpusError, match="credentials cannot be read: File name too long") as caught:
        pull(TITANIC, folder, quiet)
    assert "do-not-show" not in str(caught.value)


def test_the_token_goes_nowhere_else_when_an_answer_points_elsewhere(titanic, folder):
    with KaggleServer() as elsewhere:
        titanic.faults["GetKernel", "ann/kernel-5"] = [
            status(307, Location=f"{elsewhere.url}/v1/a.b/GetKernel")
        ]
        assert pull(TITANIC, folder, quiet).pulled == 5
    assert elsewhere.calls == []


def test_an_old_style_key_signs_in_too(titanic, folder, tmp_path, monkeypatch):
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    (tmp_path / "user" / "kaggle.json").write_text(json.dumps({"username": USER, "key": KEY}))
    (tmp_path / "user" / "kaggle.json").chmod(0o600)
    assert pull(TITANIC, folder, quiet).pulled == 5


def test_a_browser_sign_in_of_kaggles_own_command_counts(titanic, folder, tmp_path, monkeypatch):
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    saved = {
        "refresh_token": "r",
        "access_token": TOKEN,
        "access_token_expiration": "2999-01-01T00:00:00+00:00",
        "username": USER,
    }
    (tmp_path / "user" / ".kaggle").mkdir()
    (tmp_path / "user" / ".kaggle" / "credentials.json").write_text(json.dumps(saved))
    assert pull(TITANIC, folder, quiet).pulled == 5


def test_credentials_that_are_refused_on_the_way_end_the_pull(titanic, folder):
    def revoke(handler: Any) -> None:
        titanic.active = False
        handler.send(401, {"code": 401, "message": "Unauthenticated"})

    titanic.faults["GetKernel", "ann/kernel-3"] = [revoke]
    with pytest.raises(CorpusError, match=r"does not accept the credentials[\s\S]*KAGGLE_API_TOKEN"):
        pull(TITANIC, folder, quiet)
    titanic.active = True
    assert pull(TITANIC, folder, quiet) == Pulled(1, 5, 3, 2, {})


def test_a_kernel_that_alone_is_refused_with_401_is_skipped(titanic, folder):
    titanic.faults["GetKernel", "ann/kernel-3"] = [status(401)] * 9
    assert pull(TITANIC, folder, quiet) == Pulled(1, 5, 4, 0, {"private (401)": 1})


def test_without_the_package_the_error_says_what_to_install(folder, monkeypatch):
    for name in [*sys.modules]:
        if name.split(".")[0] in ("kaggle", "kagglesdk"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "kaggle", None)
    monkeypatch.setitem(sys.modules, "kagglesdk", None)
    with pytest.raises(CorpusError, match=re.escape("pip install 'linguacodus[kaggle]'")):
        pull(TITANIC, folder, quiet)


def test_importing_the_package_asks_kaggle_nothing_and_says_nothing(server):
    code = (
        "import sys\n"
        "from kagglesdk import kaggle_env\n"
        "kaggle_env._env_to_endpoint[kaggle_env.KaggleEnv.PROD] = sys.argv[1]\n"
        "from linguacodus_core.sources.kaggle_session import package\n"
        "package()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, server.url], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert server.calls == []


# --- hostile answers -------------------------------------------------------------------------------

HOSTILE = [
    "../../../etc/passwd",
    "..",
    "../evil",
    "ann/..",
    "/etc/passwd",
    "ann/a/b",
    "ann/a\x00b",
    "ann\\..\\x/evil-one",
    ".hidden/kernel",
    "ann/.pull.json",
    "ann/" + "x" * 5000,
    "a__b/kernel",
    "a_/kernel",
    "ann/kernel\n",
    "https://evil.example/ann/kernel",
    "",
]


@pytest.mark.parametrize("ref", [*HOSTILE, None, 7, ["ann/kernel"]])
def test_a_name_that_could_leave_its_folder_is_no_kernel_name(ref):
    assert kernel_name(ref) is None


@given(st.text() | st.from_regex(r"[\w./-]{1,9}/[\w./-]{1,9}"))
def test_a_kernel_or_competition_name_is_always_one_plain_folder_name(ref):
    for name in (kernel_name(ref), competition_slug(ref)):
        if name is not None:
            assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", folder_name(name))
            assert len(folder_name(name)) < 240


@given(
    st.from_regex(r"[a_]{1,4}/[a_]{1,4}", fullmatch=True),
    st.from_regex(r"[a_]{1,4}/[a_]{1,4}", fullmatch=True),
)
def test_two_kernels_never_share_a_folder(one, other):
    names = {kernel_name(one), kernel_name(other)} - {None}
    assert len({folder_name(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    "address", ["ann/kernel-1", "/code/ann/kernel-1", "https://www.kaggle.com/code/ann/kernel-1"]
)
def test_a_kernel_may_be_named_by_its_address(address):
    assert kernel_name(address) == "ann/kernel-1"


def test_hostile_names_write_nothing_outside_and_are_counted(titanic, folder, tmp_path):
    for ref in HOSTILE:
        titanic.add_kernel("titanic", ref, 0.05)
    titanic.add_kernel(
        "titanic",
        "ann/honest-name",
        0.9,
        slug="../../../evil",
        metadata={
            "ref": "../../evil",
            "title": "\ud800\x00" + "t" * 10_000,
            "id": "nine",
            "categoryIds": [1, {}],
        },
    )
    before = {entry.name for entry in tmp_path.iterdir()}
    done = pull(TITANIC, folder, quiet)
    assert done == Pulled(1, 6, 6, 0, {"unusable name": len(HOSTILE)})
    assert pull(TITANIC, folder, quiet).failed == {"unusable name": len(HOSTILE)}
    assert {entry.name for entry in tmp_path.iterdir()} == before | {"pulled"}
    assert {entry.name for entry in folder.iterdir()} == {".lock", "titanic"}
    kernel = folder / "titanic" / "ann__honest-name"
    assert {entry.name for entry in kernel.iterdir()} == {"honest-name.py", "kernel-metadata.json"}
    metadata = read(kernel / "kernel-metadata.json")
    assert (metadata["id"], metadata["id_no"], metadata["keywords"]) == ("ann/honest-name", None, [])
    assert len(metadata["title"]) == 300


def test_code_that_is_too_long_missing_or_of_an_unknown_kind_is_not_kept(titanic, folder, monkeypatch):
    monkeypatch.setattr("linguacodus_core.sources.kaggle_answers.MOST_CODE_BYTES", 1000)
    monkeypatch.setattr(kaggle_session, "MOST_BYTES", 20_000)
    titanic.kernels["titanic"][0]["source"] = "x" * 1001
    titanic.kernels["titanic"][1]["source"] = " \n"
    titanic.kernels["titanic"][2]["kernelType"] = "poem"
    titanic.kernels["titanic"][3]["source"] = "\u00e4" * 100_000
    assert pull(TITANIC, folder, quiet) == Pulled(
        competitions=1,
        listed=5,
        pulled=1,
        there=0,
        failed={
            "more code than is kept": 1,
            "no code in it": 1,
            "code of a kind that is not known": 1,
            "a reply that is too long": 1,
        },
    )


def test_a_page_of_html_with_a_thousand_open_tags_is_read_in_time(no_hang, server, folder):
    server.add_competition("titanic", None)
    server.pages["titanic"] = {"description": "<p>Hello</p>" + "<a " * 10_000 + "<!--" * 10_000}
    pull(TITANIC, folder, quiet)
    assert read(folder / "titanic" / "competition.json")["description"].startswith("Hello")
