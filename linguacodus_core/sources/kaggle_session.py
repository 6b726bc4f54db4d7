"""Signing in to Kaggle through its own package, with limits on every exchange that the package does not set.

`import kaggle` signs in by itself, prints advice and knows no time-outs; all of that is kept quiet here. The
token stays inside the package: no message is made of its errors' text, which may hold the token.
"""

import contextlib
import importlib
import io
import logging
import re
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from linguacodus_core.errors import CorpusError

CONNECT_SECONDS, READ_SECONDS, CALL_SECONDS = 10.0, 60.0, 180.0
"""To connect; between two packets; for a whole reply."""
MOST_BYTES = 64 << 20
_BLOCK = 1 << 16
_SENDABLE = re.compile(r"[\x20-\x7e]*")
_MODULE = "kaggle.api.kaggle_api_extended"

HOW_TO_SIGN_IN = (
    "make a token at https://www.kaggle.com/settings/api and set KAGGLE_API_TOKEN to it (or save it as "
    "~/.kaggle/access_token), or run `kaggle auth login`"
)


class ReplyTooLong(Exception):
    """A reply has more than MOST_BYTES."""


def sign_in() -> Any:
    """A `KaggleApi` of the kaggle package, signed in as its user has set it up.

    Every exchange ends within CALL_SECONDS, reads at most MOST_BYTES and follows no redirect. Raises
    CorpusError when the package is not there or no credentials work, and what requests raises when Kaggle
    cannot be asked about them.
    """
    module = package()
    import requests

    api = module.KaggleApi()
    api.args = [word for word in api.args if word not in ("--verbose", "-v")]  # verbose prints the token

    def connect() -> Any:
        return _limited(
            module.KaggleApi.build_kaggle_client_with_params(
                args=api.args,
                username=api.config_values.get("username"),
                password=api.config_values.get("key"),
                api_token=api.config_values.get("token"),
            )
        )

    api.build_kaggle_client = connect
    try:
        with _quiet():
            api.authenticate()
            client = connect()
    except SystemExit:
        raise CorpusError(
            "there are no Kaggle credentials here that Kaggle accepts", HOW_TO_SIGN_IN
        ) from None
    except OSError as error:
        if isinstance(error, requests.RequestException):
            raise
        what = error.strerror  # the error's file name may be the token
        raise CorpusError(f"the Kaggle credentials cannot be read: {what}", HOW_TO_SIGN_IN) from None
    api.build_kaggle_client = lambda: client
    return api


def package() -> Any:
    """The kaggle package's module that holds `KaggleApi`. Raises CorpusError when it cannot be imported."""
    if _MODULE in sys.modules:
        return sys.modules[_MODULE]
    try:
        client = importlib.import_module("kagglesdk.kaggle_http_client").KaggleHttpClient
        with _quiet(), _unplugged(client):
            return importlib.import_module(_MODULE)
    except ImportError as error:
        raise CorpusError(
            f"the Kaggle source needs the package kaggle, which cannot be imported ({error})",
            "pip install 'linguacodus[kaggle]'",
        ) from error
    except OSError as error:
        raise CorpusError(
            f"the package kaggle cannot make its configuration folder: {error}",
            "set KAGGLE_CONFIG_DIR to a folder that you can write to",
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What the package prints (advice, warnings) goes nowhere: we say it ourselves."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


@contextlib.contextmanager
def _unplugged(client: Any) -> Iterator[None]:
    """While it is imported, the package asks Kaggle nothing; it takes that for being offline."""
    call = client.call

    def refuse(*_: object, **__: object) -> None:
        raise ConnectionError("not while the package is imported")

    client.call = refuse
    try:
        yield
    finally:
        client.call = call


def _limited(client: Any) -> Any:
    """The same KaggleClient; kagglesdk has no public way to give its session time-outs."""
    try:
        http = client.http_client()
        http._init_session()
        http._session.send = _within_limits(http._session.send)
    except AttributeError:
        logging.getLogger(__name__).warning("this version of kagglesdk cannot be given time-outs")
    return client


def _within_limits(send: Callable[..., Any]) -> Callable[..., Any]:
    import requests

    def limited(request: Any, **settings: Any) -> Any:
        if not _SENDABLE.fullmatch(str(request.headers.get("Authorization", ""))):
            raise CorpusError("the Kaggle credentials hold characters that no token has", HOW_TO_SIGN_IN)
        until = time.monotonic() + CALL_SECONDS
        settings |= {"timeout": (CONNECT_SECONDS, READ_SECONDS), "stream": True, "allow_redirects": False}
        reply = send(request, **settings)
        body = bytearray()
        try:
            while block := reply.raw.read1(_BLOCK, decode_content=True):
                body += block
                if len(body) > MOST_BYTES:
                    raise ReplyTooLong
                if time.monotonic() > until:
                    raise requests.Timeout("the reply did not end in time")
            reply._content, reply._content_consumed = bytes(body), True
        finally:
            reply.close()
        return reply

    return limited
