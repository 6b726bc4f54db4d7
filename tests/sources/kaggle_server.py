"""A local server that speaks what kagglesdk 0.1 speaks: POST /v1/<service>/<method>, JSON in camelCase both ways.

It answers the five methods that a pull uses, checks the token, lists in pages, and misbehaves as told: `faults`
holds, for a method and what it is asked for, what happens in place of the next answers.
"""

import base64
import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "KGAT_do-not-show-this"
USER, KEY = "someone", "0123456789abcdef-do-not-show"

Fault = Callable[["Handler"], None]


class KaggleServer:
    """Use as a context manager; `url` is where it listens. `calls`: (method, what it was asked for) in order."""

    def __init__(self) -> None:
        self.competitions: dict[str, dict[str, Any]] = {}
        self.pages: dict[str, dict[str, str]] = {}
        self.kernels: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.faults: dict[tuple[str, str], list[Fault]] = defaultdict(list)
        self.calls: list[tuple[str, str]] = []
        self.bodies: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.active = True
        """Whether the token is valid."""
        self.page_tokens = False
        """Whether listings are paged by tokens rather than by numbers."""
        self.delay = 0.0
        """Seconds before a kernel is given."""
        self._lock = threading.Lock()

    def __enter__(self) -> "KaggleServer":
        handler = type("BoundHandler", (Handler,), {"kaggle": self})
        self._http = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def add_competition(self, slug: str, metric: str | None = "Categorization Accuracy", **more: Any) -> None:
        self.competitions[slug] = {
            "id": len(self.competitions) + 1,
            "ref": f"https://www.kaggle.com/competitions/{slug}",
            "url": f"https://www.kaggle.com/competitions/{slug}",
            "title": slug.title(),
            "description": f"One line about {slug}.",
            "evaluationMetric": metric,
            "tags": [{"ref": "tabular", "name": "tabular data"}],
            "deadline": "2030-01-01T23:59:00.123Z",
        } | more

    def add_kernel(self, competition: str, ref: str, score: float | None = None, **more: Any) -> None:
        self.kernels[competition].append(
            {
                "ref": ref,
                "score": score,
                "title": f"Title of {ref}",
                "totalVotes": 1,
                "source": f"# {ref}\nprint(1)\n",
                "language": "python",
                "kernelType": "script",
            }
            | more
        )

    def asked(self, method: str) -> Counter[str]:
        """How often the method was called, by what it was asked for."""
        return Counter(key for name, key in self.calls if name == method)

    def note(self, method: str, key: str, body: dict[str, Any]) -> Fault | None:
        with self._lock:
            self.calls.append((method, key))
            self.bodies.append(body)
            self.times.append(time.monotonic())
            faults = self.faults.get((method, key)) or self.faults.get((method, "*"))
            return faults.pop(0) if faults else None

    def answer(self, method: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """The JSON answer, None where there is no such thing."""
        if method == "IntrospectToken":
            good = self.active and body.get("token") == TOKEN
            return {"active": good, "username": USER} if good else {"active": False}
        if method == "ListCompetitions":
            found = [one for slug, one in self.competitions.items() if body.get("search", "") in slug]
            return self._page("competitions", found, body, 20)
        if method == "GetCompetition":
            return self.competitions.get(body["competitionName"])
        if method == "ListCompetitionPages":
            pages = self.pages.get(body["competitionName"], {})
            return {"pages": [{"name": name, "content": content} for name, content in pages.items()]}
        if method == "ListKernels":
            return self._page("kernels", self._sorted(body), body, 100)
        if method == "GetKernel":
            time.sleep(self.delay)
            return self._kernel(f"{body['userName']}/{body['kernelSlug']}")
        return None

    def _sorted(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        kernels = [one for one in self.kernels[body["competition"]] if one["language"] == body["language"]]
        sort = body.get("sortBy", "HOTNESS")
        if sort == "VOTE_COUNT":
            kernels.sort(key=lambda one: -one["totalVotes"])
        elif sort in ("SCORE_ASCENDING", "SCORE_DESCENDING"):
            sign = 1 if sort == "SCORE_ASCENDING" else -1
            kernels.sort(key=lambda one: (one["score"] is None, sign * (one["score"] or 0.0)))
        else:
            kernels.reverse()
        return [{k: one[k] for k in ("ref", "title", "totalVotes")} for one in kernels]

    def _page(self, name: str, items: list[Any], body: dict[str, Any], most: int) -> dict[str, Any]:
        size = min(body.get("pageSize", 20), most)
        token = body.get("pageToken")
        start = int(token.removeprefix("after-")) if token else (body.get("page", 1) - 1) * size
        answer: dict[str, Any] = {name: items[start : start + size]}
        if self.page_tokens and start + size < len(items):
            answer["nextPageToken"] = f"after-{start + size}"
        return answer

    def _kernel(self, ref: str) -> dict[str, Any] | None:
        for kernels in self.kernels.values():
            for one in kernels:
                if one["ref"] == ref:
                    metadata = {
                        "id": 7,
                        "ref": ref,
                        "title": one["title"],
                        "language": one["language"],
                        "kernelType": one["kernelType"],
                        "isPrivate": False,
                        "enableGpu": True,
                        "enableTpu": False,
                        "enableInternet": False,
                        "categoryIds": ["eda"],
                        "datasetDataSources": ["ann/more-data"],
                        "kernelDataSources": [],
                        "competitionDataSources": ["titanic"],
                        "modelDataSources": [],
                        "dockerImage": "gcr.io/kaggle-images/python",
                        "machineShape": "",
                    }
                    blob = {k: one[k] for k in ("source", "language", "kernelType")}
                    blob["slug"] = one.get("slug", ref.split("/")[-1])
                    return {"metadata": metadata | one.get("metadata", {}), "blob": blob}
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that was killed, or gave up: nothing to tell."""


class Handler(BaseHTTPRequestHandler):
    kaggle: KaggleServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        method = self.path.rsplit("/", 1)[-1]
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = {
            "GetKernel": lambda: f"{body['userName']}/{body['kernelSlug']}",
            "ListKernels": lambda: body["competition"],
            "IntrospectToken": lambda: "",
        }.get(method, lambda: str(body.get("competitionName", body.get("search", ""))))()
        fault = self.kaggle.note(method, key, body)
        if not self.path.startswith("/v1/") or "." not in self.path:
            self.send(404, {"code": 404, "message": "no such path"})
        elif fault is not None:
            fault(self)
        elif method != "IntrospectToken" and not self._signed_in():
            self.send(401, {"code": 401, "message": f"Unauthenticated: {self.headers['Authorization']}"})
        elif (answer := self.kaggle.answer(method, body)) is None:
            self.send(404, {"code": 404, "message": "Not found"})
        else:
            self.send(200, answer)

    def _signed_in(self) -> bool:
        basic = base64.b64encode(f"{USER}:{KEY}".encode()).decode()
        return self.kaggle.active and self.headers["Authorization"] in (f"Bearer {TOKEN}", f"Basic {basic}")

    def send(self, status: int, content: Any, headers: dict[str, str] | None = None) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | (headers or {})).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def status(code: int, **headers: str) -> Fault:
    """Answer with that HTTP status; headers with "_" for "-"."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.send(code, {"code": code, "message": f"status {code}"}, named)


def cut(handler: Handler) -> None:
    """Break the connection in the middle of the answer."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'{"metadata": {')
    handler.close_connection = True


def garbage(handler: Handler) -> None:
    """An answer that is no JSON."""
    handler.send(200, b"<html>maintenance</html>")


def hidden_status(code: int) -> Fault:
    """An error that only the JSON body tells."""
    return lambda handler: handler.send(200, {"code": code, "message": "hidden"})


def hang(seconds: float) -> Fault:
    """No answer for that long, then a broken connection."""

    def fault(handler: Handler) -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return fault


def trickle(seconds: float) -> Fault:
    """An answer that comes byte by byte for that long."""

    def fault(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        until = time.monotonic() + seconds
        handler.close_connection = True
        try:
            while time.monotonic() < until:
                handler.wfile.write(b" ")
                time.sleep(0.02)
        except OSError:
            return

    return fault


def answer(content: Any) -> Fault:
    """That JSON in place of the true answer."""
    return lambda handler: handler.send(200, content)
