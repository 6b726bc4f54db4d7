"""Stage `measure`: what base and tuned models make of the held-out competitions.

The losses of held-out completions (after their own prompt, and after another competition's), instructions
sampled for the places 1, 2 and 3, and the likelihoods of held-out pairs. Each competition's results are
written as they come: a killed measurement goes on behind the last ones. The bare base's are kept for other
fine-tunes that ask it the same.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from linguacodus_core import store
from linguacodus_core.settings import local_home
from linguacodus_core.tables import table
from linguacodus_core.trainer import base, hardware, loop
from linguacodus_core.trainer.events import Events, peak_memory
from linguacodus_core.trainer.heldout import Competition, competitions
from linguacodus_core.trainer.likelihood import likelihoods
from linguacodus_core.trainer.load import tokenizer_of
from linguacodus_core.trainer.sampling import Asked, draw
from linguacodus_core.trainer.subjects import Subject, for_reading, load, subjects
from linguacodus_core.training.job import Job
from linguacodus_core.training.tables import TRAINING

STAGE = "measure"
PARTS = "parts"
OF_BASES = "measured"
"""The folder, beside the bases, of what bare bases were found to make of held-out competitions."""
KINDS = ("losses", "preferences", "samples")

Row = dict[str, object]


def run(job: Job) -> None:
    """Measure every subject on every held-out competition, but for what an earlier run has measured."""
    began = time.monotonic()
    events = Events(job.stage(STAGE))
    device = hardware.find(job.config.hardware.device)
    events.note(device.words)
    folder = base.folder_of(job)
    tokenizer = tokenizer_of(folder)
    asked = competitions(job, tokenizer, events.note)
    measured = subjects(job)
    reading = for_reading(job, folder, device)
    if reading.config.quantization.bits:
        events.note("whole weights do not fit into memory: measured as trained, in 4 bits")
    parts: list[Path] = []
    found = 0
    for number, subject in enumerate(measured):
        reader = Reader(reading, folder, subject, tokenizer)
        for at, competition in enumerate(asked):
            for kind in KINDS:
                part = _part(reading, kind, subject, competition)
                parts.append(part)
                if _whole(part):
                    found += 1
                else:
                    store.write_table(part, table(kind, list(reader.rows(kind, competition)), TRAINING))
            events.progress("competitions measured", number * len(asked) + at + 1, len(measured) * len(asked))
    counts = {}
    for kind in KINDS:
        whole = pa.concat_tables([store.read_table(part) for part in parts if part.name.startswith(kind)])
        store.write_table(job.stage(STAGE) / f"{kind}.parquet", whole)
        counts[kind] = whole.num_rows
    summary = {
        "subjects": [subject.name for subject in measured],
        "competitions": len(asked),
        **counts,
        "quantized": bool(reading.config.quantization.bits),
        "seconds": round(time.monotonic() - began, 3),
        "peak_memory": peak_memory(),
        "device": device.name,
        "parts_found": found,
    }
    loop.finish(job, STAGE, events, summary)
    shutil.rmtree(job.stage(STAGE) / PARTS, ignore_errors=True)


@dataclass
class Reader:
    """One subject at work; it is loaded when it is first asked. job: from for_reading()."""

    job: Job
    folder: Path
    subject: Subject
    tokenizer: Any
    _model: Any = field(default=None, init=False)

    def rows(self, kind: str, competition: Competition) -> Iterator[Row]:
        """What the subject makes of a competition: rows of the table of that kind."""
        if self._model is None:
            self._model = load(self.job, self.folder, self.subject)
        rows = {"losses": self._losses, "preferences": self._preferences, "samples": self._samples}[kind]
        for row in rows(competition):
            yield {"subject": self.subject.name, **row}

    def _losses(self, competition: Competition) -> Iterator[Row]:
        examples = competition.examples
        own = self._nll([(example.prompt, example.completion) for example in examples])
        strangers = [example for example in examples if example.other is not None]
        other = self._nll([(example.other or [], example.completion) for example in strangers])
        for prompt, read, values in (("own", examples, own), ("other", strangers, other)):
            for example, nll in zip(read, values, strict=True):
                yield {
                    "example": example.name,
                    "competition": competition.name,
                    "prompt": prompt,
                    "nll": nll,
                    "tokens": len(example.completion),
                }

    def _preferences(self, competition: Competition) -> Iterator[Row]:
        nll = self._nll([each for pair in competition.pairs for each in pair.both])
        for pair, chosen, rejected in zip(competition.pairs, nll[::2], nll[1::2], strict=True):
            yield {
                "pair": pair.name,
                "chosen_nll": chosen,
                "chosen_tokens": len(pair.chosen),
                "rejected_nll": rejected,
                "rejected_tokens": len(pair.rejected),
            }

    def _samples(self, competition: Competition) -> Iterator[Row]:
        wanted = self.job.config.evaluation
        named = [(place, number) for place in sorted(competition.asked) for number in range(wanted.samples)]
        for start in range(0, len(named), wanted.batch):
            some = named[start : start + wanted.batch]
            drawn = draw(
                self._model,
                [
                    Asked(tuple(competition.asked[place]), self._seed(competition.name, place, number))
                    for place, number in some
                ],
                temperature=wanted.temperature,
                top_p=wanted.top_p,
                max_tokens=wanted.max_tokens,
                ends=self._ends(),
            )
            for (place, number), text in zip(some, drawn, strict=True):
                yield {
                    "competition": competition.name,
                    "place": place,
                    "sample": number,
                    "text": self.tokenizer.decode(text.tokens, skip_special_tokens=True).strip(),
                    "tokens": len(text.tokens) + (not text.cut),
                    "cut": text.cut,
                }

    def _nll(self, pairs: Sequence[tuple[list[int], list[int]]]) -> list[float]:
        return likelihoods(self._model, pairs, self.tokenizer.pad_token_id)

    def _seed(self, competition: str, place: int, number: int) -> str:
        seed = self.job.config.training.seed
        return "\0".join(map(str, (seed, self.subject.name, competition, place, number)))

    def _ends(self) -> set[int]:
        """The tokens that end a text: the tokenizer's, and those that the model's own settings name."""
        own = self._model.generation_config.eos_token_id
        named = own if isinstance(own, list) else [own]
        return {token for token in (self.tokenizer.eos_token_id, *named) if token is not None}


def _part(job: Job, kind: str, subject: Subject, competition: Competition) -> Path:
    """The file of one competition's results; another for other weights. Fine-tunes share the base's."""
    if subject.adapter is not None:
        digest = hashlib.sha256(f"{subject.identity}\0{competition.name}".encode()).hexdigest()[:16]
        return job.stage(STAGE) / PARTS / f"{kind}-{subject.name}-{digest}.parquet"
    config = job.config
    asked = json.dumps(
        [
            subject.identity,
            asdict(competition),
            config.evaluation.model_dump(exclude={"examples_per_competition"}),
            config.training.seed,
            config.training.precision,
            config.quantization.model_dump(),
            config.hardware.device,
        ]
    )
    return (
        local_home()
        / "bases"
        / OF_BASES
        / f"{kind}-{hashlib.sha256(asked.encode()).hexdigest()[:24]}.parquet"
    )


def _whole(part: Path) -> bool:
    try:
        return store.read_table(part) is not None
    except (OSError, pa.ArrowInvalid):
        return False
