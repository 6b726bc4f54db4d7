"""Records what a real embedded model answers for the tests: `python -m tests.record MODEL [BASE_URL]`.

It writes tests/recordings/MODEL.json: prompt names and replies in order, with the model's name. Run it
again after a prompt has changed in a way that matters; the tests do not compare prompts.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from linguacodus_core.errors import LinguacodusError
from linguacodus_core.instructions.refine import refine
from linguacodus_core.instructions.write import write_instruction
from linguacodus_core.llm.budget import Budget
from linguacodus_core.llm.client import Client
from linguacodus_core.llm.ledger import Ledger
from linguacodus_core.llm.profiles import load_profile
from linguacodus_core.llm.server import serve
from linguacodus_core.synthesis.capability import check
from linguacodus_core.synthesis.plan_route import write_plan
from linguacodus_core.synthesis.staged import write_staged
from linguacodus_core.synthesis.whole import write_direct, write_whole
from tests.replay import RECORDINGS, prompt_name
from tests.shop import shop


def save(model: str, replies: list[dict[str, Any]]) -> None:
    """Write the recording as it is so far."""
    RECORDINGS.mkdir(exist_ok=True)
    text = json.dumps({"model": model, "replies": replies}, indent=1, ensure_ascii=False)
    (RECORDINGS / f"{model}.json").write_text(text + "\n")


def record(model: str, url: str, folder: Path) -> None:
    """Every reply of one walk through all routes."""
    spec, profile, split = shop(folder)
    client = Client(load_profile(f"embedded:{model}"), Ledger(folder / "ledger.sqlite"), Budget(), url)
    replies: list[dict[str, Any]] = []
    complete = client.complete

    def listening(role: str, rendered: Any, **more: Any) -> Any:
        reply = complete(role, rendered, **more)
        name = prompt_name(rendered)
        replies.append({"prompt": name, "role": role, "text": reply.text, "finish": reply.finish_reason})
        save(model, replies)
        print(f"{name}: {reply.completion_tokens} tokens, {reply.seconds:.0f} s", file=sys.stderr)
        return reply

    client.complete = listening  # type: ignore[method-assign]
    about: dict[str, Any] = {"spec": spec, "profile": profile, "prompt_set": "default", "seed": 1}
    raw = [write_instruction(client, place=place, **about) for place in (1, 2, 3)]
    refined = refine(client, raw=raw, **about)
    for instruction in (raw[0], refined):
        write_plan(client, instruction, **about)
    check(client, work=folder / "work")
    write_direct(client, **about)
    for route in (write_staged, write_whole):
        try:
            made = route(client, raw[0], split=split, work=folder / "work", **about)
            print(made.label, made.origin, file=sys.stderr)
        except LinguacodusError as error:
            print(error, file=sys.stderr)
    client.close()


def main() -> None:
    model = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        if len(sys.argv) > 2:
            record(model, sys.argv[2], Path(folder))
        else:
            with serve(model) as url:
                record(model, url, Path(folder))


if __name__ == "__main__":
    main()
