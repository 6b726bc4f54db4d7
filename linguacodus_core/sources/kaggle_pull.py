"""Fetching competitions, their listings and their kernels from Kaggle into a folder; nothing else.

    <folder>/<competition>/competition.json, listing.json, <owner>__<slug>/{kernel-metadata.json, code}

A pull may be stopped at any moment, by kill -9 too, and goes on where it was when it is started again: a
kernel is moved into its place when it is whole and never asked for again, a listing not before it is old.
"""

import fcntl
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from linguacodus_core import store
from linguacodus_core.errors import CorpusError
from linguacodus_core.sources import kaggle_listing
from linguacodus_core.sources.kaggle_answers import Competition, Unusable, competition_slug
from linguacodus_core.sources.kaggle_client import Kaggle, Refused, Unavailable
from linguacodus_core.sources.kaggle_listing import BY_VOTES, Shelf, best_first, folder_name, whole_kernels

MOST_SILENCES = 3
"""So many kernels or competitions in a row without an answer, and Kaggle is taken to be down."""
_SAY_EVERY = 25
_REASONS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "private (401)",
    HTTPStatus.FORBIDDEN: "private, or rules not accepted (403)",
    HTTPStatus.NOT_FOUND: "gone (404)",
}


@dataclass(frozen=True)
class PullRequest:
    """What to fetch. Without `competitions` (slugs), those that Kaggle lists are taken.

    search, category, sort_by: as in `kaggle competitions list`. pause: least seconds between two calls.
    refresh_hours: how old a listing may be before it is asked for again.
    """

    competitions: tuple[str, ...] = ()
    most_competitions: int = 20
    kernels_per_competition: int = 150
    search: str = ""
    category: str = "all"
    sort_by: str = "numberOfTeams"
    pause: float = 1.0
    refresh_hours: float = 20.0


@dataclass(frozen=True)
class Pulled:
    """What a pull did: kernels listed, pulled now, on disk before, and failed (reason -> how many).

    Failures of earlier pulls count as long as the kernels are listed and are not there. Competitions that
    could not be listed are among them as "competition: ...".
    """

    competitions: int
    listed: int
    pulled: int
    there: int
    failed: Mapping[str, int]


def pull(
    request: PullRequest, folder: Path, say: Callable[[str], None], *, api: Kaggle | None = None
) -> Pulled:
    """Fetch competitions, their listings and their kernels into the folder; nothing else.

    Raises CorpusError, in words that say how to go on, when there are no credentials, when Kaggle limits the
    rate or does not answer, when none of the competitions can be had, or when another pull works in the
    folder; StoreError when it cannot be written. What was fetched until then is kept.
    """
    with _alone(folder):
        return _Run(request, folder, say, api or Kaggle(request.pause, say)).all()


class _Run:
    """One pull under way, and what it has counted so far."""

    def __init__(
        self, request: PullRequest, folder: Path, say: Callable[[str], None], kaggle: Kaggle
    ) -> None:
        self.request, self.folder, self.say, self.kaggle = request, folder, say, kaggle
        self.workshop = folder / ".part"
        self.competitions = self.listed = self.pulled = self.there = 0
        self.failed: Counter[str] = Counter()
        self.missing: list[str] = []
        self.whole: set[Path] = set()
        self.anywhere: dict[str, Path] = {}
        self.silent: list[tuple[Shelf, str | None]] = []
        self.silence: Unavailable | None = None
        self.checked = False

    def all(self) -> Pulled:
        shutil.rmtree(self.workshop, ignore_errors=True)  # what an earlier pull left unfinished
        self.whole = whole_kernels(self.folder)
        self.anywhere = {kernel.name: kernel for kernel in self.whole}
        for slug, known in self._named():
            shelf = Shelf(self.folder, slug)
            if self._list(shelf, known):
                self._fetch(shelf)
        self._heard()
        shutil.rmtree(self.workshop, ignore_errors=True)
        if self.silence and not self.competitions:
            raise self.silence
        if self.missing and not self.competitions:
            raise CorpusError(
                f"Kaggle gives none of the competitions: {', '.join(self.missing)}",
                "check the names: the last part of https://www.kaggle.com/competitions/NAME",
            )
        return Pulled(self.competitions, self.listed, self.pulled, self.there, dict(self.failed))

    def _named(self) -> list[tuple[str, Competition | None]]:
        """The competitions to fetch, with what Kaggle's list of competitions says of them if it was asked."""
        request = self.request
        if request.competitions:
            slugs = {slug.lower(): slug for slug in map(slug_of, request.competitions)}
            return [(slug, None) for slug in slugs.values()]
        options = (request.search, request.category, request.sort_by, request.most_competitions)
        if known := kaggle_listing.known_competitions(self.folder, options, request.refresh_hours):
            return [(slug, None) for slug in known]
        listed = self.kaggle.competitions(*options)
        if not listed:
            raise CorpusError("Kaggle lists no competitions for these options", "search for something else")
        kaggle_listing.keep_competitions(self.folder, options, [competition.slug for competition in listed])
        return [(competition.slug, competition) for competition in listed]

    def _list(self, shelf: Shelf, known: Competition | None) -> bool:
        """Have the competition's listing on disk; False when Kaggle does not give it."""
        wanted = self.request.kernels_per_competition
        if not shelf.fresh(self.request.refresh_hours, wanted):
            try:
                competition = known or self.kaggle.competition(shelf.slug)
                pages = self.kaggle.pages(shelf.slug)
                order = best_first(competition, pages)
                kernels, unusable = self.kaggle.kernels(shelf.slug, order, wanted)
            except Unavailable as error:
                self._no_answer(shelf, None, error)
                return False
            except (Refused, Unusable) as error:
                if _status(error) == HTTPStatus.UNAUTHORIZED:
                    raise
                self._heard()
                reason = _reason(error)
                self.failed[f"competition: {reason}"] += 1
                self.missing.append(f"{shelf.slug} ({reason})")
                self.say(f"{shelf.slug}: {reason}")
                return False
            self._heard()
            if order == BY_VOTES:
                metric = competition.metric_name or "none is named"
                self.say(f"{shelf.slug}: metric unknown ({metric}), so its kernels get no places")
            shelf.describe(competition, pages)
            shelf.list_kernels(kernels, order, wanted, unusable)
        self.competitions += 1
        return True

    def _fetch(self, shelf: Shelf) -> None:
        kernels = shelf.kernels()[: self.request.kernels_per_competition]
        waiting = []
        for kernel in kernels:
            failure = shelf.failures.get(kernel)
            if self._there(shelf, kernel):
                self.there += 1
            elif failure is not None and not failure.again:
                self.failed[failure.reason] += 1
            else:
                waiting.append(kernel)
        self.listed += len(kernels)
        if shelf.unusable:
            self.failed["unusable name"] += shelf.unusable
        self.say(f"{shelf.slug}: {len(kernels)} kernels, {len(waiting)} of them to pull")
        for done, kernel in enumerate(waiting, 1):
            self._fetch_one(shelf, kernel)
            if done % _SAY_EVERY == 0 and done < len(waiting):
                self.say(f"{shelf.slug}: {done} of {len(waiting)} pulled")

    def _fetch_one(self, shelf: Shelf, kernel: str) -> None:
        try:
            shelf.place(kernel, self.kaggle.kernel(kernel), self.workshop)
        except (Refused, Unusable) as error:
            if _status(error) in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) and not self.checked:
                self.kaggle.check()
                self.checked = True
            self._heard()
            shelf.fail(kernel, _reason(error), final=True)
            self.failed[_reason(error)] += 1
        except Unavailable as error:
            self._no_answer(shelf, kernel, error)
        else:
            self._heard()
            self.checked = False
            self.pulled += 1
            self.anywhere[folder_name(kernel)] = shelf.path / folder_name(kernel)

    def _there(self, shelf: Shelf, kernel: str) -> bool:
        """Whether the kernel need not be pulled; one that another competition has is copied from there."""
        place = shelf.path / folder_name(kernel)
        if place in self.whole:
            return True
        if (other := self.anywhere.get(place.name)) is None:
            return False
        shelf.copy(kernel, other, self.workshop)
        return True

    def _no_answer(self, shelf: Shelf, kernel: str | None, error: Unavailable) -> None:
        """Go on without that kernel, or that competition (None); raise the error when it is not the first."""
        self.say(f"{kernel or shelf.slug}: {error.problem}")
        self.silent.append((shelf, kernel))
        self.silence = error
        if len(self.silent) >= MOST_SILENCES:
            raise error

    def _heard(self) -> None:
        """Kaggle answers: so the silences before were about those kernels and competitions."""
        for shelf, kernel in self.silent:
            if kernel is None:
                self.failed["competition: no answer"] += 1
            else:
                shelf.fail(kernel, "no answer", final=False)
                self.failed["no answer"] += 1
        self.silent.clear()


def slug_of(name: str) -> str:
    """The slug of a competition's name or address. Raises CorpusError for whatever else."""
    slug = competition_slug(name)
    if slug is None:
        raise CorpusError(
            f"{name!r} is not the name of a Kaggle competition",
            "give the last part of its address: https://www.kaggle.com/competitions/NAME",
        )
    return slug


def _status(error: CorpusError) -> int:
    return error.status if isinstance(error, Refused) else 0


def _reason(error: CorpusError) -> str:
    status = _status(error)
    return _REASONS.get(status, f"refused ({status})") if status else error.problem


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with store.described(folder):
        folder.mkdir(parents=True, exist_ok=True)
        stream = (folder / ".lock").open("w")
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CorpusError(f"another pull works in {folder}", "wait until it has ended") from None
        yield
