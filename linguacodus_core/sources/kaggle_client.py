"""The questions that a pull asks Kaggle, asked with patience.

Rate limits (429, Retry-After), time-outs, broken connections, 5xx and replies that cannot be read back off
with jitter, a bounded number of times; everything else is final at once.
"""

import random
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type

from linguacodus_core.errors import CorpusError
from linguacodus_core.sources import kaggle_answers
from linguacodus_core.sources.kaggle_answers import Competition, ListedKernel, PulledKernel, Unusable
from linguacodus_core.sources.kaggle_session import HOW_TO_SIGN_IN, ReplyTooLong, package, sign_in

ATTEMPTS = 6
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
LONGEST_ASKED_WAIT = 300.0
"""Seconds; where Kaggle asks for more, the pull ends and says so."""
KERNELS_A_PAGE, COMPETITIONS_A_PAGE, MOST_PAGES = 100, 20, 100
"""The API gives at most 100 kernels and by default 20 competitions a page: a shorter page is the last one."""
GOES_ON = "give the same command again later: it goes on where it was"

T = TypeVar("T")


class Refused(CorpusError):
    """Kaggle answered with an error that asking again does not mend; `status` is the HTTP status."""

    def __init__(self, problem: str, remedy: str = "", status: int = 0) -> None:
        super().__init__(problem, remedy)
        self.status = status


class Unavailable(CorpusError):
    """One question got no answer that can be used, after every try; others may."""


class _Passing(Exception):
    """A try failed in a way that may pass. wait: seconds that Kaggle asks for. limited: by its rate limit."""

    def __init__(self, problem: str, wait: float | None = None, *, limited: bool = False) -> None:
        super().__init__(problem)
        self.wait, self.limited = wait, limited


class Kaggle:
    """Kaggle, asked one question at a time, at least `pause` seconds apart; signs in at the first one.

    Every method raises Refused, Unavailable, Unusable, or CorpusError when nothing more can be asked: no
    credentials, no package, or a rate limit that outlasts our patience.
    """

    def __init__(self, pause: float = 1.0, say: Callable[[str], None] | None = None) -> None:
        self._pause = pause
        self._say = say or (lambda _: None)
        self._api: Any = None
        self._last = float("-inf")

    def competitions(self, search: str, category: str, sort_by: str, most: int) -> list[Competition]:
        """At most that many competitions, in Kaggle's order; options as in `kaggle competitions list`."""
        found: dict[str, Competition] = {}
        page, token = 1, ""
        while len(found) < most and page <= MOST_PAGES:

            def listing(api: Any, page: int = page, token: str = token) -> Any:
                return api.competitions_list(
                    category=_one_of(category, ["all", *api.valid_competition_categories], "category"),
                    sort_by=_one_of(sort_by, api.valid_competition_sort_by, "order"),
                    search=search,
                    page=-1 if token else page,
                    page_size=COMPETITIONS_A_PAGE,
                    page_token=token or None,
                )

            reply = self._ask("the list of competitions", listing)
            before = len(found)
            for one in map(kaggle_answers.read_competition, reply.competitions):
                if one is not None:
                    found.setdefault(one.slug, one)
            token, page = kaggle_answers.token(reply), page + 1
            if len(found) == before or (not token and len(reply.competitions) < COMPETITIONS_A_PAGE):
                break
        return list(found.values())[:most]

    def competition(self, slug: str) -> Competition:
        """The competition of that name; searched for where the API does not tell it directly."""

        def get(api: Any) -> Any:
            from kagglesdk.competitions.types.competition_api_service import ApiGetCompetitionRequest

            request = ApiGetCompetitionRequest()
            request.competition_name = slug
            with api.build_kaggle_client() as client:
                return client.competitions.competition_api_client.get_competition(request)

        try:
            found = [kaggle_answers.read_competition(self._ask(f"the competition {slug}", get))]
        except Refused as refused:
            if refused.status == HTTPStatus.UNAUTHORIZED:
                raise
            found = [*self.competitions(slug, "all", "relevance", COMPETITIONS_A_PAGE)]
            if not any(one and one.slug.lower() == slug.lower() for one in found):
                raise
        for one in found:
            if one is not None and one.slug.lower() == slug.lower():
                return one
        raise Refused(f"Kaggle answers for another competition when asked for {slug}")

    def pages(self, slug: str) -> dict[str, str]:
        """A competition's pages (description, evaluation, data-description, ...): name -> HTML or markdown.

        Empty where the API does not tell them.
        """
        try:
            answer = self._ask(f"the pages of {slug}", lambda api: api.competition_list_pages(slug))
        except Refused as refused:
            if refused.status == HTTPStatus.UNAUTHORIZED:
                raise
            return {}
        return kaggle_answers.read_pages(answer)

    def kernels(self, slug: str, sort_by: str, most: int) -> tuple[list[ListedKernel], int]:
        """At most that many Python kernels of a competition in that order, and how many had an unusable name.

        sort_by: scoreAscending, scoreDescending, voteCount, ... What a later page refuses is left out.
        """
        found: dict[str, ListedKernel] = {}
        unusable, page, token = 0, 1, ""
        while len(found) < most and page <= MOST_PAGES:

            def listing(api: Any, page: int = page, token: str = token) -> Any:
                return api.kernels_list_with_response(
                    competition=slug,
                    language="python",
                    sort_by=sort_by,
                    page=None if token else page,
                    page_size=KERNELS_A_PAGE,
                    page_token=token or None,
                )

            try:
                reply = self._ask(f"page {page} of the kernels of {slug}", listing)
            except (Refused, Unavailable) as error:
                if not found or getattr(error, "status", 0) == HTTPStatus.UNAUTHORIZED:
                    raise
                self._say(f"{slug}: the listing ends after {len(found)} kernels: {error.problem}")
                break
            before = len(found)
            for one in map(kaggle_answers.read_listed, reply.kernels):
                if one is None:
                    unusable += 1
                else:
                    found.setdefault(one.kernel, one)
            token, page = kaggle_answers.token(reply), page + 1
            if len(found) == before or (not token and len(reply.kernels) < KERNELS_A_PAGE):
                break
        return list(found.values())[:most], unusable

    def kernel(self, kernel: str) -> PulledKernel:
        """The newest code of a kernel (owner/slug) and its metadata."""

        def get(api: Any) -> Any:
            from kagglesdk.kernels.types.kernels_api_service import ApiGetKernelRequest

            request = ApiGetKernelRequest()
            request.user_name, request.kernel_slug = kernel.split("/")
            with api.build_kaggle_client() as client:
                return client.kernels.kernels_api_client.get_kernel(request)

        return kaggle_answers.read_kernel(kernel, self._ask(f"the kernel {kernel}", get))

    def check(self) -> None:
        """Raise CorpusError when Kaggle does not answer to these credentials any more."""
        try:
            self._ask("whether we are signed in", lambda api: api.competitions_list(page_size=1))
        except Refused:
            raise CorpusError("Kaggle does not accept the credentials any more", HOW_TO_SIGN_IN) from None

    def _ask(self, what: str, question: Callable[[Any], T]) -> T:
        def tell(state: RetryCallState) -> None:
            seconds = state.next_action.sleep if state.next_action else 0.0
            if seconds >= 1:
                self._say(f"Kaggle: {_failure(state)}; asking again in {seconds:.0f} s")

        retrying = Retrying(
            retry=retry_if_exception_type(_Passing), wait=_wait, stop=_enough, before_sleep=tell, reraise=True
        )
        try:
            answer: T = retrying(self._once, what, question)
            return answer
        except _Passing as failure:
            if failure.limited:
                asked = f" and asks to wait {failure.wait:.0f} s" if failure.wait else ""
                raise CorpusError(
                    f"Kaggle limits how often it may be asked{asked}", f"{GOES_ON}; a longer pause may help"
                ) from None
            raise Unavailable(f"no answer from Kaggle when asked for {what}: {failure}", GOES_ON) from None

    def _once(self, what: str, question: Callable[[Any], T]) -> T:
        package()
        import requests
        import urllib3

        time.sleep(max(0.0, self._last + self._pause - time.monotonic()))
        self._last = time.monotonic()
        try:
            if self._api is None:
                self._api = sign_in()
            return question(self._api)
        except ReplyTooLong:
            raise Unusable("a reply that is too long") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            _judge(error, what)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise _Passing("a reply that cannot be read") from None


def _judge(error: Exception, what: str) -> NoReturn:
    """Raise what a failed exchange means. Its own text is never repeated: it may hold the token."""
    import requests

    from linguacodus_core.llm.endpoint import retry_after

    reply: Any = getattr(error, "response", None)
    status = _status(reply)
    if status == HTTPStatus.UNAUTHORIZED:
        raise Refused("Kaggle does not accept the credentials", HOW_TO_SIGN_IN, status) from None
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise _Passing("it limits the rate (429)", retry_after(reply.headers), limited=True) from None
    if status == HTTPStatus.REQUEST_TIMEOUT or status >= 500:
        raise _Passing(_named(status), retry_after(reply.headers)) from None
    if status >= 400:
        raise Refused(f"Kaggle refuses {what}: {_named(status)}", "", status) from None
    if isinstance(error, requests.exceptions.SSLError):
        raise _Passing("no secure connection") from None
    if isinstance(error, requests.Timeout):
        raise _Passing("no answer in time") from None
    if isinstance(error, requests.exceptions.InvalidJSONError):
        raise _Passing("a reply that cannot be read") from None
    raise _Passing("the connection broke") from None


def _status(reply: Any) -> int:
    """The HTTP status of a failed exchange, or the one that its JSON body states; 0 where there is none."""
    if reply is None:
        return 0
    try:
        stated = reply.json().get("code")
    except (ValueError, AttributeError, RecursionError):
        stated = None
    status = int(reply.status_code)
    return stated if status < 400 and isinstance(stated, int) else status


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _one_of(value: str, known: list[str], what: str) -> str:
    if value not in known:
        raise CorpusError(
            f"Kaggle knows no {what} {value!r} of competitions", f"use one of: {', '.join(known)}"
        )
    return value


def _failure(state: RetryCallState) -> _Passing:
    failure = state.outcome.exception() if state.outcome else None
    return failure if isinstance(failure, _Passing) else _Passing("no answer")


def _wait(state: RetryCallState) -> float:
    patience = min(LONGEST_WAIT, FIRST_WAIT * float(2 ** (state.attempt_number - 1))) * random.uniform(
        0.5, 1.0
    )
    return max(patience, (_failure(state).wait or 0.0) * random.uniform(1.0, 1.1))


def _enough(state: RetryCallState) -> bool:
    return state.attempt_number >= ATTEMPTS or (_failure(state).wait or 0.0) > LONGEST_ASKED_WAIT
