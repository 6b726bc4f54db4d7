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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import openai
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_after_attempt,
)

from linguacodus_core.errors import EndpointError, ModelUnavailable, ProfileError, PromptTooLong, Unanswered
from linguacodus_core.llm import deadline, models
from linguacodus_core.llm.check import Check
from linguacodus_core.llm.profiles import Profile
from linguacodus_core.llm.prompts import Message

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
CONNECT_SECONDS = 10.0
RESTART_SECONDS = 45.0
PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
LONG_PROMPT = re.compile(r"context|too (?:long|large|many tokens)|maximum.*tokens")
_SECRETS = re.compile(r"(?:sk-|Bearer\s+)[\w.~+/*-]{6,}")
_LETTERS = b" abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NOT_ASCII = bytes(range(128, 256))


@dataclass(frozen=True)
class Request:
    """One chat request. parameters: max_tokens and, when set, temperature, top_p, seed.

    prompt: the label of the prompt, for messages.
    """

    model: str
    messages: tuple[Message, ...]
    parameters: Mapping[str, Any]
    schema: Mapping[str, Any] | None
    prompt: str


@dataclass(frozen=True)
class Reply:
    """What came back. Tokens are estimated where the endpoint does not count them."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    attempts: int = 1


class NoSchema(Exception):
    """The endpoint does not decode under a JSON schema."""


class _Passing(Exception):
    """An attempt failed in a way that may pass.

    wait: seconds that the server asked for. unreachable: it is not there, or not there yet.
    """

    def __init__(self, error: EndpointError, wait: float | None = None, *, unreachable: bool = False) -> None:
        self.error, self.wait, self.unreachable = error, wait, unreachable
        super().__init__(error.problem)


class Endpoint:
    """A connection pool to one base URL. Thread-safe. `label` names it without secrets."""

    def __init__(self, profile: Profile, url: str) -> None:
        """Raises ProfileError when the key's variable is not set or the embedded model is not served."""
        if not url.startswith(("http://", "https://")):
            raise ProfileError(
                f"the profile {profile.name} uses {url}, which is not being served",
                "serve it with linguacodus_core.llm.server.endpoint_for(profile)",
            )
        key = profile.api_key().get_secret_value()
        self.profile = profile
        self.label = _label(profile.endpoint if profile.embedded is not None else url)
        self._restarts = profile.embedded is not None
        self._closed = threading.Event()
        self._secret = "" if profile.api_key_env is None else key
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

    def send(self, request: Request, until: float) -> Reply:
        """The reply, after retries, at the latest at `until` (of time.monotonic()).

        An embedded model's server that died is waited for while it is started again, once.
        Raises EndpointError (Unanswered when the last attempt ran out of time, or was under way at
        close); NoSchema when the endpoint refuses the schema.
        """
        started = time.monotonic()
        enough = stop_after_attempt(self.profile.max_retries + 1)

        def stop(state: RetryCallState) -> bool:
            if self._closed.is_set() or time.monotonic() + state.upcoming_sleep >= until:
                return True
            failure = state.outcome.exception() if state.outcome else None
            if self._restarts and isinstance(failure, _Passing) and failure.unreachable:
                self._restarts = time.monotonic() - started < RESTART_SECONDS
                return not self._restarts
            return enough(state)

        retrying = Retrying(
            retry=retry_if_exception_type(_Passing),
            wait=_wait,
            sleep=sleep_using_event(self._closed),
            stop=stop,
            reraise=True,
        )
        attempts = 0
        try:
            for attempt in retrying:
                with attempt:
                    attempts += 1
                    reply = self._attempt(request, until)
        except _Passing as failure:
            asked = f"; it asks to wait {failure.wait:.0f} s" if failure.wait is not None else ""
            tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
            raise type(failure.error)(
                f"{failure.error.problem} ({tries} in {time.monotonic() - started:.1f} s{asked})",
                failure.error.remedy,
            ) from failure.__cause__
        return replace(reply, attempts=attempts)

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

    def _attempt(self, request: Request, until: float) -> Reply:
        if self._closed.is_set():
            raise EndpointError(f"{self.label} was not asked: the run has ended")
        now = time.monotonic()
        limit = max(0.001, min(until - now, self.profile.attempt_timeout or math.inf))
        body: dict[str, Any] = {
            "model": request.model,
            "messages": list(request.messages),
            **request.parameters,
        }
        body[self.profile.token_field] = body.pop("max_tokens")
        if request.schema is not None:
            shape = {"name": "reply", "strict": True, "schema": request.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": shape}
        try:
            content = self._sent(body, now + limit, limit)
        except openai.APITimeoutError as error:
            raise _Passing(
                Unanswered(
                    f"{self.label} did not answer within {limit:.0f} s",
                    "raise timeout (or attempt_timeout) in the profile, ask for fewer tokens, "
                    "or use a faster endpoint",
                )
            ) from error
        except openai.APIConnectionError as error:
            raise _Passing(
                EndpointError(
                    f"cannot reach {self.label}: {self.scrub(str(error.__cause__ or error))}",
                    "check that the server runs and that the endpoint in the profile is right",
                ),
                unreachable=True,
            ) from error
        except openai.APIStatusError as error:
            raise self._refused(error, request) from error
        return self._read(content, request)

    def _sent(self, body: dict[str, Any], until: float, limit: float) -> bytes:
        """What comes back. Raises openai's errors; Unanswered for whatever comes of close()."""
        try:
            with deadline.deadline(until):
                raw = self.api.chat.completions.with_raw_response.create(
                    **body, timeout=openai.Timeout(limit, connect=min(CONNECT_SECONDS, limit))
                )
                return raw.content
        except Exception as error:
            if not self._closed.is_set():
                raise
            raise Unanswered(f"the call to {self.label} was given up: the run has ended") from error

    def _refused(self, error: openai.APIStatusError, request: Request) -> Exception:
        status, text = error.status_code, self._said(error.response.content)
        problem = f"{self.label} answered HTTP {status} for {request.model}: {text}"
        if status in PASSING and not (status == 429 and "insufficient_quota" in text):
            remedy = (
                "wait and run again: what is done is kept" if status == 429 else "look into the server's log"
            )
            wait = retry_after(error.response.headers)
            return _Passing(EndpointError(problem, remedy), wait, unreachable=status == 503)
        lowered = text.lower()
        if status in {400, 413, 422} and LONG_PROMPT.search(lowered):
            return PromptTooLong(
                f"the prompt {request.prompt} is too long for {request.model}. {problem}",
                "shorten the description, or use a model with a longer context "
                f"(the profile says {self.profile.context} tokens)",
            )
        refused_schema = re.search(r"response_format|json_schema|schema|grammar", lowered)
        if status in {400, 422} and request.schema is not None and refused_schema:
            return NoSchema()
        key = self.profile.api_key_env
        remedies = {
            401: f"the API key was refused: check {key}" if key else "name its key's variable in api_key_env",
            403: f"this key may not use the model: check {key or 'api_key_env'} and the model's name",
            404: "check the endpoint (does it need /v1 at its end?) and the model's name in the profile",
            429: "the account has no credit left: check its billing, or use --profile local",
        }
        return EndpointError(problem, remedies.get(status, "check the endpoint and the model in the profile"))

    def _read(self, content: bytes, request: Request) -> Reply:
        if content[:200].lstrip().startswith(b"<"):
            raise EndpointError(
                f"{self.label} answered with a web page instead of JSON: {self._said(content)}",
                "check the endpoint in the profile (does it need /v1 at its end?), "
                "and any proxy or log-in page between",
            )
        try:
            reply = json.loads(content)
            choice = reply["choices"][0]
            text = choice["message"].get("content") or ""
            if not isinstance(text, str):
                raise TypeError("the content is not text")
            usage = reply.get("usage") or {}
            prompt_tokens = int(usage.get("prompt_tokens") or projected_tokens(request.messages))
            completion_tokens = int(usage.get("completion_tokens") or math.ceil(len(text) / 3))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise _Passing(
                EndpointError(
                    f"{self.label} answered with something that is no chat completion: {self._said(content)}",
                    "check that the endpoint in the profile is OpenAI-compatible, and the server's log",
                )
            ) from error
        return Reply(text, str(choice.get("finish_reason") or "stop"), prompt_tokens, completion_tokens)

    def _said(self, content: bytes) -> str:
        text = " ".join(content[:2000].decode("utf-8", "replace").split())
        return self.scrub(text)[:200] or "(an empty body)"


def projected_tokens(messages: Sequence[Message]) -> int:
    """Tokens that messages may take, estimated high: a token for three letters or spaces, for each
    digit or sign, for two bytes of anything else."""
    total = 8.0
    for message in messages:
        raw = message["content"].encode()
        others = len(raw.translate(None, _LETTERS))
        signs = len(raw.translate(None, _LETTERS + _NOT_ASCII))
        total += 8 + (len(raw) - others) / 3 + signs + (others - signs) / 2
    return math.ceil(total)


def ping(profile: Profile, timeout: float = 5.0) -> Check:
    """Whether the profile's endpoint answers and offers its models, or its embedded model can be served."""
    name = f"endpoint {_label(profile.endpoint)}"
    if profile.embedded is not None:
        from linguacodus_core.llm.server import require_llama

        try:
            require_llama()
            return Check(name, True, str(models.path(profile.embedded)))
        except ModelUnavailable as error:
            return Check(name, False, error.problem, error.remedy)
    try:
        endpoint = Endpoint(profile, profile.endpoint)
    except ProfileError as error:
        return Check(name, False, error.problem, error.remedy)
    try:
        offered = endpoint.models(timeout)
    except openai.APIStatusError as error:
        remedy = f"check {profile.api_key_env or 'the endpoint in the profile'}"
        return Check(name, False, f"it answered HTTP {error.status_code}", remedy)
    except openai.OpenAIError as error:
        why = endpoint.scrub(str(error.__cause__ or error))
        return Check(name, False, f"it does not answer: {why}", "start the server, or use --profile local")
    except ValueError:
        return Check(name, False, "it does not speak OpenAI's API", "check it: does it need /v1 at its end?")
    finally:
        endpoint.close()
    if missing := sorted({role.model for _, role in profile.roles} - set(offered)):
        remedy = f"name one of these in the profile: {', '.join(offered[:10]) or 'none'}"
        return Check(name, False, f"it does not offer {', '.join(missing)}", remedy)
    return Check(name, True, f"it offers {len(offered)} models")


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
    if isinstance(failure, _Passing) and failure.wait is not None:
        return failure.wait * random.uniform(1.0, 1.1)
    return min(LONGEST_WAIT, FIRST_WAIT * float(2 ** (state.attempt_number - 1))) * random.uniform(0.5, 1.0)


def _label(endpoint: str) -> str:
    """The endpoint without a user, password or query."""
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"}:
        return endpoint
    return urlunsplit((parts.scheme, parts.netloc.rsplit("@", 1)[-1], parts.path, "", ""))
