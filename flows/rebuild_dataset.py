"""Flow `rebuild-dataset`: from raw kernels to a published version of the instruction dataset.

Every step is kept by the content that it was made from: a killed rebuild goes on where it was, an unchanged
one ends at once, one kernel more makes one call more. Nothing is visible until the version is whole.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from linguacodus_core.curation.corpus import Corpus
from linguacodus_core.curation.shard import CuratedShard
from linguacodus_core.dataset import work
from linguacodus_core.dataset.batch import refuse_what_waits, submit_or_collect
from linguacodus_core.dataset.extract import code_tokens
from linguacodus_core.dataset.instruct import InstructedShard, chosen
from linguacodus_core.dataset.projection import Projection, project
from linguacodus_core.dataset.request import RebuildRequest, RebuildResult
from linguacodus_core.dataset.study import StudiedShard
from linguacodus_core.dataset.version import Version, open_version
from linguacodus_core.llm.adapted import models_of
from linguacodus_core.llm.budget import Budget
from linguacodus_core.llm.client import Client
from linguacodus_core.llm.ledger import Ledger
from linguacodus_core.llm.profiles import Profile, Roles, load_profile
from linguacodus_core.llm.server import endpoints_for
from linguacodus_core.progress import say
from linguacodus_core.settings import ledger_path
from tasks.models import fetch_model
from tasks.processes import cores, warm_up
from tasks.rebuild import (
    announce,
    ask_shards,
    assemble,
    curate_shard,
    fingerprint_of,
    pull_kernels,
    read_shard,
    study_shard,
    take_in,
)
from tasks.rebuild_board import RebuildBoard
from tasks.ui import lines_in_the_ui


@flow(
    name="rebuild-dataset",
    flow_run_name="{request.source}",
    task_runner=ThreadPoolTaskRunner(max_workers=cores()),  # type: ignore[arg-type]
    persist_result=False,
)
def rebuild_dataset(request: RebuildRequest) -> RebuildResult:
    """Turn a corpus of kernels into a version of the instruction dataset, and publish it.

    Raises LinguacodusError: a source that cannot be read, a budget that is used up (with what is left), an
    endpoint that does not answer. What was done by then is kept.
    """
    began = time.monotonic()
    with lines_in_the_ui():
        if request.source == "kaggle":
            pull_kernels(request)
        profile = load_profile(request.profile) if request.profile else None
        fingerprint = fingerprint_of(request)
        key = work.whole_key(request, fingerprint, profile)
        board = RebuildBoard(request)
        if not request.dry_run and (known := work.finished(key)):
            tell(open_version(known))
            return board.finished(_result(open_version(known), False, began))
        warm_up()
        with board.counting("blocks read") as counting:
            corpus = take_in(request, fingerprint, counting.more)
        curated = curate(corpus, request, board)
        board.warn_of_bare(curated)
        studied = study(curated, profile, board)
        only = chosen(studied, request.limit)
        with extractor(profile, request) as client:
            projection = project(client, curated, studied, only)
            if request.dry_run:
                return board.projected(corpus, curated, projection, _nothing(projection, began))
            say(projection.line())
            if client and request.batch and (waiting := submit_or_collect(client, curated, studied, only)):
                return board.waiting(_nothing(projection, began, waiting))
            if client and not request.batch:
                refuse_what_waits(client, curated, studied, only)
            instructed = extract(request, curated, studied, only, client, projection, board)
            spent = (len(client.asked), client.budget.spent.usd) if client else (0, 0.0)
        inputs = describe(request, profile, fingerprint, corpus)
        version, new = assemble(corpus, curated, instructed, request, inputs)
        work.finish(key, version.name)
        tell(version)
        work.tidy()
        return board.finished(_result(version, new, began, *spent))


def curate(corpus: Corpus, request: RebuildRequest, board: RebuildBoard) -> list[CuratedShard]:
    """Every shard's solutions."""
    with board.counting("shards curated", corpus.shards) as counting:
        made = [curate_shard.submit(corpus, number, request.curation) for number in range(corpus.shards)]
        return counting.collect(made)


def study(
    curated: Sequence[CuratedShard], profile: Profile | None, board: RebuildBoard
) -> list[StudiedShard]:
    """What every shard's code shows."""
    with board.counting("shards studied", len(curated)) as counting:
        return counting.collect([study_shard.submit(shard, code_tokens(profile)) for shard in curated])


@contextmanager
def extractor(profile: Profile | None, request: RebuildRequest) -> Iterator[Client | None]:
    """The way to the model that extracts, served meanwhile where embedded; None: the static extractor."""
    if profile is None:
        yield None
        return
    with Ledger(ledger_path()) as ledger:
        if request.dry_run:  # nothing is sent: neither key nor model is needed
            nowhere = dict.fromkeys(Roles.model_fields, "http://127.0.0.1:1/v1")
            yield Client(profile.keyless(), ledger, Budget(usd=0), endpoint_overrides=nowhere)
            return
        for model in models_of(profile):
            fetch_model(model)
        budget = Budget(usd=request.budget_usd)
        with (
            endpoints_for(profile) as (url, elsewhere),
            Client(profile, ledger, budget, url, endpoint_overrides=elsewhere) as client,
        ):
            yield client


def extract(
    request: RebuildRequest,
    curated: Sequence[CuratedShard],
    studied: Sequence[StudiedShard],
    only: frozenset[str] | None,
    client: Client | None,
    projection: Projection,
    board: RebuildBoard,
) -> list[InstructedShard]:
    """Every shard's instructions, by the model or, without one, by the static extractor."""
    if client is None:
        with board.counting("shards read", len(studied)) as counting:
            return counting.collect([read_shard.submit(shard, only, request.grounding) for shard in studied])
    about = {row["competition"]: row for shard in curated for row in shard.read("competitions").to_pylist()}
    hashes = [prompt.sha256 for prompt in work.prompts(client.profile)]
    with board.counting(f"instructions by {projection.by}", projection.usable) as counting:
        return ask_shards(studied, only, request.grounding, about, client, hashes, counting.answered)


def tell(version: Version) -> None:
    """Announce a version once; what a killed run did not come to announce, the next one does."""
    if not work.announced(version.name):
        announce(version)
        work.announce(version.name)


def describe(
    request: RebuildRequest, profile: Profile | None, fingerprint: str, corpus: Corpus
) -> dict[str, object]:
    """What the manifest says the version was built from."""
    return {
        "source": request.source,
        "fingerprint": fingerprint,
        "competitions": list(request.competitions),
        "curation": request.curation.model_dump(mode="json"),
        "read": {
            "competitions": corpus.competitions,
            "kernels": corpus.kernels,
            "blocks": corpus.blocks,
            "characters": corpus.characters,
        },
        "extractor": f"model {profile.roles.extractor.model}" if profile else "the static extractor",
        "profile": request.profile,
        "grounding": request.grounding,
        "limit": request.limit,
        "prompts": [prompt.label for prompt in work.prompts(profile)],
        "prompt_sets": list(request.prompt_sets),
        "context": request.context,
        "tokenizer": request.tokenizer,
        "held_out": request.held_out,
    }


def _result(version: Version, new: bool, began: float, calls: int = 0, usd: float = 0.0) -> RebuildResult:
    rows = version.manifest.rows
    return RebuildResult(
        version=version.name,
        folder=version.folder,
        new=new,
        competitions=rows["competitions"],
        solutions=rows["solutions"],
        instructions=rows["instructions"],
        examples=rows["examples"],
        seconds=time.monotonic() - began,
        calls=calls,
        usd=usd,
    )


def _nothing(projection: Projection, began: float, pending: str = "") -> RebuildResult:
    return RebuildResult(
        version="",
        folder="",
        new=False,
        competitions=projection.competitions,
        solutions=projection.solutions,
        instructions=0,
        examples=0,
        seconds=time.monotonic() - began,
        pending=pending,
    )
