"""One OpenAI-compatible endpoint: a chat request in, a reply out, retried while that can help, never hanging.

Rate limits, time-outs, broken connections, 5xx and replies that are no chat completion back off
with jitter until the call's time is up; everything else fails at once. Whatever is said in an
error has the API key scrubbed from it.
"""

import email.utils
import json
import math
import random
import re
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import httpx2
import openai
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_after_attempt,
)

from linguacodus_core.errors import (
    AdapterError,
    EndpointError,
    ModelUnavailable,
    ProfileError,
    PromptTooLong,
    Unanswered,
)
from linguacodus_core.llm import adapted, chat, deadline, models
from linguacodus_core.llm.chat import Reply, Request, projected_tokens
from linguacodus_core.llm.check import Check
from linguacodus_core.llm.place import Place
from linguacodus_core.llm.profiles import Profile

__all__ = ["Endpoint", "NoSchema", "Passing", "Reply", "Request", "ping", "projected_tokens", "retry_after"]

R = TypeVar("R")
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
CONNECT_SECONDS = 10.0
RESTART_SECONDS = 45.0
PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
NO_CREDIT = "insufficient_quota"
LONG_PROMPT = re.compile(r"context|too (?:long|large|many tokens)|maximum.*tokens")
_SECRETS = re.compile(r"(?:sk-|Bearer\s+)[\w.~+/*-]{6,}")


class NoSchema(Exception):
    """The endpoint does not decode under a JSON schema."""


class Passing(Exception):
    """An attempt failed in a way that may pass.

    wait: seconds that the server asked for. unreachable: it is not there, or not there yet.
    """

    def __init__(self, error: EndpointError, wait: float | None = None, *, unreachable: bool = False) -> None:
        self.error, self.wait, self.unreachable = error, wait, unreachable
        super().__init__(error.problem)


class Endpoint:
    """A connection pool to one base URL. Thread-safe. `label` names it without secrets; `words`, for
    messages, also names the roles that it plays where others go elsewhere."""

    def __init__(
        self, profile: Profile, url: str, place: Place | None = None, roles: Collection[str] = ()
    ) -> None:
        """place: what the profile calls it (default: the profile's own); an embedded model's server that
        dies is waited for. Raises ProfileError when the key's variable is not set or a model is not served.
        """
        self.profile, self.place = profile, place or profile.place
        self.label = adapted.label(self.place) if self.place.own else _label(url)
        self.words = f"{self.label} (for the {', '.join(roles)})" if roles else self.label
        if not url.startswith(("http://", "https://")):
            raise ProfileError(
                f"the profile {profile.name} uses {self.words}, which is not being served",
                "serve it with linguacodus_core.llm.server.endpoints_for(profile)",
            )
        key = profile.api_key(self.place).get_secret_value()
        self._restarts = self.place.own
        self._closed = threading.Event()
        self._secret = "" if self.place.api_key_env is None else key
        loopback = urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}
        http_client = openai.DefaultHttpxClient(trust_env=not loopback)  # no proxy between us and ourselves
        deadline.guard(http_client, self._closed)
        self.api = openai.OpenAI(
            api_key=key,
            base_url=url,
            max_retries=0,
            timeout=openai.Timeout(profile.timeout, connect=min(CONNECT_SECONDS, profile.timeout)),
            http_client=http_client,
        )

    def __repr__(self) -> str:
        return f"Endpoint({self.label!r})"

    def close(self) -> None:
        """Close the connections; a call that is under way ends within a second.

        One that is still connecting ends with that, CONNECT_SECONDS at most.
        """
        self._closed.set()
        self.api.close()

    def body(self, request: Request) -> dict[str, Any]:
        """The JSON object that a request is sent as."""
        return chat.body(request, self.profile.token_field)

    def send(self, request: Request, until: float) -> Reply:
        """The reply, after retries, at the latest at `until` (of time.monotonic()).

        An embedded model's server that died is waited for while it is started again, once.
        Raises EndpointError (Unanswered when the last attempt ran out of time, or was under way at
        close); NoSchema when the endpoint refuses the schema.
        """
        content = chat.encoded(self.body(request))

        def post(timeout: openai.Timeout) -> bytes:
            options: Any = {"timeout": timeout, "security": {"bearer_auth": True}}
            response = self.api.post(
                "/chat/completions", cast_to=httpx2.Response, content=content, options=options
            )
            return response.content

        def once() -> Reply:
            longest = self.profile.attempt_timeout
            return self._read(
                self.exchange(post, lambda error: self._refused(error, request), until, longest), request
            )

        reply, attempts = self.retried(once, until)
        return replace(reply, attempts=attempts)

    def retried(self, once: Callable[[], R], until: float) -> tuple[R, int]:
        """What `once` gives, tried again while it raises Passing, and the number of attempts.

        Ends at `until` (of time.monotonic()), after the profile's retries, and at close; then the
        EndpointError of the last attempt is raised.
        """
        started = time.monotonic()
        enough = stop_after_attempt(self.profile.max_retries + 1)

        def stop(state: RetryCallState) -> bool:
            if self._closed.is_set() or time.monotonic() + state.upcoming_sleep >= until:
                return True
            failure = state.outcome.exception() if state.outcome else None
            if self._restarts and isinstance(failure, Passing) and failure.unreachable:
                self._restarts = time.monotonic() - started < RESTART_SECONDS
                return not self._restarts
            return enough(state)

        retrying = Retrying(
            retry=retry_if_exception_type(Passing),
            wait=_wait,
            sleep=sleep_using_event(self._closed),
            stop=stop,
            reraise=True,
        )
        attempts = 0

        def counted() -> R:
            nonlocal attempts
            attempts += 1
            return once()

        try:
            return retrying(counted), attempts
        except Passing as failure:
            asked = f"; it asks to wait {failure.wait:.0f} s" if failure.wait is not None else ""
            tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
            raise type(failure.error)(
                f"{failure.error.problem} ({tries} in {time.monotonic() - started:.1f} s{asked})",
                failure.error.remedy,
            ) from failure.__cause__

    def exchange(
        self,
        send: Callable[[openai.Timeout], R],
        refused: Callable[[openai.APIStatusError], Exception],
        until: float,
        longest: float | None = None,
    ) -> R:
        """What one attempt of `send` gives, which gets its time-outs and goes through `api`.

        refused: the error to raise for a status of 400 and above. longest: seconds for this attempt.
        Raises Passing for what another attempt may mend; Unanswered for whatever comes of close().
        """
        if self._closed.is_set():
            raise EndpointError(f"{self.words} was not asked: the run has ended")
        now = time.monotonic()
        limit = max(0.001, min(until - now, longest or math.inf))
        try:
            with deadline.deadline(now + limit):
                return send(openai.Timeout(limit, connect=min(CONNECT_SECONDS, limit)))
        except Exception as error:
            if self._closed.is_set():
                raise Unanswered(f"the call to {self.words} was given up: the run has ended") from error
            if isinstance(error, openai.APITimeoutError):
                raise Passing(
                    Unanswered(
                        f"{self.words} did not answer within {limit:.0f} s",
                        "raise timeout (or attempt_timeout) in the profile, ask for fewer tokens, "
                        "or use a faster endpoint",
                    )
                ) from error
            if isinstance(error, openai.APIConnectionError):
                raise Passing(
                    EndpointError(
                        f"cannot reach {self.words}: {self.scrub(str(error.__cause__ or error))}",
                        "check that the server runs and that the endpoint in the profile is right",
                    ),
                    unreachable=True,
                ) from error
            if isinstance(error, openai.APIStatusError):
                raise refused(error) from error
            raise

    def scrub(self, text: str) -> str:
        """The text without this endpoint's API key, or what looks like one."""
        if len(self._secret) > 5:
            text = text.replace(self._secret, "***")
        return _SECRETS.sub("***", text)

    def models(self, timeout: float) -> list[str]:
        """The names of the models it offers (GET /models). Raises openai's errors, or ValueError."""
        with deadline.deadline(time.monotonic() + timeout):
            raw = self.api.models.with_raw_response.list(timeout=timeout)
        try:
            return [str(model["id"]) for model in json.loads(raw.content)["data"]]
        except (KeyError, TypeError) as error:
            raise ValueError("no list of models") from error

    def refusal(self, error: openai.APIStatusError, asked: str) -> Exception:
        """The error of a status of 400 and above: Passing where another attempt may help. asked: for what."""
        status, text = error.status_code, self._said(error.response.content)
        problem = f"{self.words} answered HTTP {status} for {asked}: {text}"
        if status in PASSING and not (status == 429 and NO_CREDIT in text):
            remedy = (
                "wait and run again: what is done is kept" if status == 429 else "look into the server's log"
            )
            wait = retry_after(error.response.headers)
            return Passing(EndpointError(problem, remedy), wait, unreachable=status == 503)
        key = self.place.api_key_env
        remedies = {
            401: f"the API key was refused: check {key}" if key else "name its key's variable in api_key_env",
            403: f"this key may not use the model: check {key or 'api_key_env'} and the model's name",
            404: "check the endpoint (does it need /v1 at its end?) and the model's name in the profile",
            429: "the account has no credit left: check its billing, or use --profile local",
        }
        return EndpointError(problem, remedies.get(status, "check the endpoint and the model in the profile"))

    def _refused(self, error: openai.APIStatusError, request: Request) -> Exception:
        found = self.refusal(error, request.model)
        if error.status_code not in {400, 413, 422} or not isinstance(found, EndpointError):
            return found
        lowered = self._said(error.response.content).lower()
        if LONG_PROMPT.search(lowered):
            return PromptTooLong(
                f"the prompt {request.prompt} is too long for {request.model}. {found.problem}",
                "shorten the description, or use a model with a longer context "
                f"(the profile says {self.profile.context} tokens)",
            )
        refused_schema = re.search(r"response_format|json_schema|schema|grammar", lowered)
        return NoSchema() if request.schema is not None and refused_schema else found

    def _read(self, content: bytes, request: Request) -> Reply:
        if content[:200].lstrip().startswith(b"<"):
            raise EndpointError(
                f"{self.words} answered with a web page instead of JSON: {self._said(content)}",
                "check the endpoint in the profile (does it need /v1 at its end?), "
                "and any proxy or log-in page between",
            )
        try:
            return chat.reply_in(json.loads(content), request.messages)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise Passing(
                EndpointError(
                    f"{self.words} answered with something that is no chat completion: {self._said(content)}",
                    "check that the endpoint in the profile is OpenAI-compatible, and the server's log",
                )
            ) from error

    def _said(self, content: bytes) -> str:
        text = " ".join(content[:2000].decode("utf-8", "replace").split())
        return self.scrub(text)[:200] or "(an empty body)"


def ping(profile: Profile, timeout: float = 5.0, place: Place | None = None) -> Check:
    """Whether a place (default: the profile's own) answers and offers the models of its roles.

    Of what the run serves itself: whether it can be served.
    """
    place = place or profile.place
    roles = profile.places().get(place, ())
    name = f"endpoint {adapted.label(place) if place.own else _label(place.endpoint)}"
    if place.own:
        return _servable(name, place)
    try:
        endpoint = Endpoint(profile, place.endpoint, place)
    except ProfileError as error:
        return Check(name, False, error.problem, error.remedy)
    try:
        offered = endpoint.models(timeout)
    except openai.APIStatusError as error:
        remedy = f"check {place.api_key_env or 'the endpoint in the profile'}"
        return Check(name, False, f"it answered HTTP {error.status_code}", remedy)
    except openai.OpenAIError as error:
        why = endpoint.scrub(str(error.__cause__ or error))
        return Check(name, False, f"it does not answer: {why}", "start the server, or use --profile local")
    except ValueError:
        return Check(name, False, "it does not speak OpenAI's API", "check it: does it need /v1 at its end?")
    finally:
        endpoint.close()
    if missing := sorted({profile.role(role).model for role in roles} - set(offered)):
        remedy = f"name one of these in the profile: {', '.join(offered[:10]) or 'none'}"
        return Check(name, False, f"it does not offer {', '.join(missing)}", remedy)
    return Check(name, True, f"it offers {len(offered)} models")


def _servable(name: str, place: Place) -> Check:
    from linguacodus_core.llm.server import require_llama

    try:
        require_llama()
        what = adapted.served(place)
        file = models.path(what.model) if what else None
        return Check(name, True, f"{what.lora} on {file}" if what and what.lora else str(file))
    except (ModelUnavailable, AdapterError) as error:
        return Check(name, False, error.problem, error.remedy)


def refuses_everyone(error: EndpointError) -> bool:
    """Whether the next call would meet this error too: the endpoint cannot be reached, or refuses the
    key, the model or the account."""
    cause = error.__cause__
    if isinstance(cause, openai.APIStatusError):
        no_credit = cause.status_code == 429 and NO_CREDIT in cause.response.text
        return no_credit or cause.status_code in {401, 402, 404}
    return isinstance(cause, openai.APIConnectionError) and not isinstance(error, Unanswered)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait (Retry-After, in seconds or as a date), None when it does not."""
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return max(0.0, float(milliseconds) / 1000)
        value = headers.get("retry-after", "").strip()
        if re.fullmatch(r"[\d.]+", value):
            return float(value)
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def _wait(state: RetryCallState) -> float:
    failure = state.outcome.exception() if state.outcome else None
    if isinstance(failure, Passing) and failure.wait is not None:
        return failure.wait * random.uniform(1.0, 1.1)
    return min(LONGEST_WAIT, FIRST_WAIT * float(2 ** (state.attempt_number - 1))) * random.uniform(0.5, 1.0)


def _label(endpoint: str) -> str:
    """The endpoint without a user, password or query."""
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"}:
        return endpoint
    return urlunsplit((parts.scheme, parts.netloc.rsplit("@", 1)[-1], parts.path, "", ""))
