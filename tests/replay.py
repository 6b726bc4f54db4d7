"""A client that gives recorded or made-up replies, by prompt name and order; no endpoint, no ledger."""

import json
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from linguacodus_core.errors import UnusableReply
from linguacodus_core.llm.client import Completion
from linguacodus_core.llm.profiles import Profile
from linguacodus_core.llm.prompts import Rendered

RECORDINGS = Path(__file__).parent / "recordings"


def prompt_name(rendered: Rendered) -> str:
    """ "default/plan@3" -> "plan"."""
    return rendered.prompt.split("/")[1].split("@")[0]


class Replay:
    """Stands in for llm.client.Client. replies: prompt name -> texts, given in order, the last one for ever."""

    def __init__(self, replies: Mapping[str, Iterable[str]], context: int = 8192) -> None:
        self.left = {name: list(texts) for name, texts in replies.items()}
        self.asked: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.closing = threading.Event()
        role = {"model": "recorded"}
        self.profile = Profile.model_validate(
            {
                "name": "replay",
                "endpoint": "http://127.0.0.1:1/v1",
                "context": context,
                "roles": dict.fromkeys(("extractor", "instructor", "refiner", "coder"), role),
            }
        )

    @classmethod
    def recorded(cls, model: str) -> "Replay":
        """The replies of a recording; made by `python -m tests.record MODEL`."""
        (file,) = RECORDINGS.glob(f"{model}*.json")
        replies: dict[str, list[str]] = defaultdict(list)
        for reply in json.loads(file.read_text())["replies"]:
            replies[reply["prompt"]].append(reply["text"])
        return cls(replies)

    def complete(self, role: str, rendered: Rendered, *, schema: Any = None, **more: Any) -> Completion:
        name = prompt_name(rendered)
        self.asked[name].append({"role": role, "text": rendered.messages[-1]["content"], **more})
        texts = self.left.get(name, [""])
        text = texts.pop(0) if len(texts) > 1 else texts[0]
        if not text.strip():
            raise UnusableReply(f"recorded, asked {rendered.prompt}, returned an empty reply")
        parsed = None
        if schema is not None:
            try:
                parsed = json.loads(text)
            except ValueError as error:
                raise UnusableReply(f"recorded gave no usable JSON: {error}") from error
        key = f"{name}-{len(self.asked[name])}"
        return Completion(
            text=text,
            parsed=parsed,
            key=key,
            model="recorded",
            prompt=rendered.prompt,
            prompt_tokens=1,
            completion_tokens=1,
            usd=0.0,
            seconds=0.0,
            cached=False,
            finish_reason="stop",
            keys=(key,),
        )
