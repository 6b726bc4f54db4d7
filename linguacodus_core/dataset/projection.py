"""What extraction will take, before it begins: calls to make, calls known, tokens and money at most."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from linguacodus_core.curation.shard import CuratedShard
from linguacodus_core.dataset.extract import ROLE, first_prompt
from linguacodus_core.dataset.instruct import wanted
from linguacodus_core.dataset.study import StudiedShard
from linguacodus_core.extraction.fields import instruction_schema
from linguacodus_core.llm.budget import Cost
from linguacodus_core.llm.client import Client
from linguacodus_core.llm.prompts import Rendered


@dataclass(frozen=True)
class Projection:
    """solutions: selected; usable: to be extracted; known: answered before; cost: of the others."""

    competitions: int
    solutions: int
    usable: int
    known: int
    cost: Cost
    by: str

    @property
    def calls(self) -> int:
        """Calls to make, where no reply has to be asked for again."""
        return 0 if not self.by else self.usable - self.known

    def line(self) -> str:
        """For a reader."""
        said = (
            f"{self.solutions:,} solutions of {self.competitions:,} competitions; {self.usable:,} to extract"
        )
        if not self.by:
            return f"{said} by the static extractor: no calls, no money"
        known = f", {self.known:,} answered before" if self.known else ""
        cost = f", at most ${self.cost.usd:.2f}" if self.cost.usd else ", at no cost"
        return f"{said} by {self.by}: {self.calls:,} calls{known}, at most {self.cost.tokens:,} tokens{cost}"


def prompts(
    curated: Sequence[CuratedShard],
    studied: Sequence[StudiedShard],
    only: frozenset[str] | None,
    prompt_set: str,
) -> Iterator[tuple[dict[str, Any], Rendered]]:
    """The solutions that are to give an instruction, each with the prompt that asks for it first."""
    for source, shard in zip(curated, studied, strict=True):
        about = {row["competition"]: row for row in source.read("competitions").to_pylist()}
        for study in wanted(shard, only):
            yield study, first_prompt(prompt_set, study, about[study["competition"]])


def project(
    client: Client | None,
    curated: Sequence[CuratedShard],
    studied: Sequence[StudiedShard],
    only: frozenset[str] | None,
) -> Projection:
    """What is ahead; nothing is sent. client: None for the static extractor."""
    competitions = sum(shard.read("competitions").num_rows for shard in curated)
    solutions = sum(shard.solutions for shard in curated)
    if client is None:
        usable = sum(shard.usable for shard in studied) if only is None else len(only)
        return Projection(competitions, solutions, usable, 0, Cost(), "")
    usable = known = 0
    cost = Cost()
    schema = instruction_schema()
    for _, rendered in prompts(curated, studied, only, client.profile.prompt_set):
        usable += 1
        if client.ledger.get(client.key_of(ROLE, rendered, schema=schema)):
            known += 1
        else:
            cost += client.projected(ROLE, rendered, schema=schema)
    return Projection(competitions, solutions, usable, known, cost, client.profile.role(ROLE).model)
