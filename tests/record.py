"""Records what a real embedded model answers for the tests: `python -m tests.record MODEL [generation|extraction]`.

It writes tests/recordings/MODEL.json: prompt names and replies in order, with the model's name. Run it
again after a prompt has changed in a way that matters; the tests do not compare prompts. With `generation` or
`extraction` only those replies are made anew.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from linguacodus_core.dataset.extract import by_model
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
from tests.dataset.kernels import KERNELS, studied_kernel
from tests.replay import RECORDINGS, prompt_name
from tests.shop import shop

EXTRACTION = ("extraction", "extraction_again")


class Recorder:
    """A client whose replies are saved as they come, in place of those of the same part."""

    def __init__(self, model: str, url: str, folder: Path, part: str) -> None:
        self.client = Client(
            load_profile(f"embedded:{model}"), Ledger(folder / "ledger.sqlite"), Budget(), url
        )
        self._file = RECORDINGS / f"{model}.json"
        known = json.loads(self._file.read_text())["replies"] if self._file.exists() else []
        extraction = part == "extraction"
        self._model, self._others = model, [r for r in known if (r["prompt"] in EXTRACTION) != extraction]
        self._replies: list[dict[str, Any]] = []
        self._complete = self.client.complete
        self.client.complete = self._listening  # type: ignore[method-assign]

    def _listening(self, role: str, rendered: Any, **more: Any) -> Any:
        reply = self._complete(role, rendered, **more)
        name = prompt_name(rendered)
        self._replies.append(
            {"prompt": name, "role": role, "text": reply.text, "finish": reply.finish_reason}
        )
        RECORDINGS.mkdir(exist_ok=True)
        found = {"model": self._model, "replies": self._others + self._replies}
        self._file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        print(f"{name}: {reply.completion_tokens} tokens, {reply.seconds:.0f} s", file=sys.stderr)
        return reply


def record_generation(client: Client, folder: Path) -> None:
    """Every reply of one walk through all routes."""
    spec, profile, split = shop(folder)
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


def record_extraction(client: Client, folder: Path) -> None:
    """The instructions of KERNELS, kernels of the corpus that ships."""
    for kernel in KERNELS:
        try:
            made = by_model(
                client,
                studied_kernel(kernel),
                {"competition": kernel, "title": "", "metric": ""},
                "default",
                0.5,
            )
            print(kernel, made.grounding, file=sys.stderr)
        except LinguacodusError as error:
            print(error, file=sys.stderr)


PARTS = {"generation": record_generation, "extraction": record_extraction}


def main() -> None:
    model, wanted = sys.argv[1], sys.argv[2:] or list(PARTS)
    with serve(model) as url:
        for part in wanted:
            with tempfile.TemporaryDirectory() as folder:
                recorder = Recorder(model, url, Path(folder), part)
                PARTS[part](recorder.client, Path(folder))
                recorder.client.close()


if __name__ == "__main__":
    main()
