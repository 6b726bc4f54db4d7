"""The steps of a rebuild as Prefect tasks: names, retries, cache keys; no logic."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.events import emit_event

from linguacodus_core.curation import corpus as corpora
from linguacodus_core.curation import shard as shards
from linguacodus_core.curation.corpus import Corpus
from linguacodus_core.curation.options import CurationOptions
from linguacodus_core.curation.shard import CuratedShard
from linguacodus_core.dataset import assemble as assembly
from linguacodus_core.dataset import instruct, study, work
from linguacodus_core.dataset.instruct import InstructedShard
from linguacodus_core.dataset.open_source import kaggle_folder, open_source
from linguacodus_core.dataset.request import RebuildRequest
from linguacodus_core.dataset.study import StudiedShard
from linguacodus_core.dataset.tokens import counter
from linguacodus_core.dataset.version import Version
from linguacodus_core.llm.client import Client
from linguacodus_core.llm.ledger import Ledger
from linguacodus_core.llm.progress import Progress
from linguacodus_core.progress import say
from linguacodus_core.settings import ledger_path
from tasks.processes import apart
from tasks.results import stored

PUBLISHED = "linguacodus.dataset.published"
"""The event that says that a new version is there; its payload names it."""


@task(task_run_name="pull kernels", cache_policy=NO_CACHE, persist_result=False)
def pull_kernels(request: RebuildRequest) -> None:
    """Pull what is missing of the Kaggle competitions; what is there is not pulled again."""
    from linguacodus_core.sources.kaggle_api import PullRequest, pull

    wanted = PullRequest(
        competitions=request.competitions, kernels_per_competition=request.kernels_per_competition
    )
    pull(wanted, kaggle_folder(request), say)


@task(task_run_name="fingerprint the source", cache_policy=NO_CACHE, persist_result=False)
def fingerprint_of(request: RebuildRequest) -> str:
    """The SHA-256 of the source's content; never cached, since the files may have changed."""
    return open_source(request).fingerprint()


def _corpus_parts(request: RebuildRequest, fingerprint: str, **_: object) -> tuple[object, ...]:
    return fingerprint, request.source, request.competitions, request.curation.model_dump_json()


@task(task_run_name="take in the source", **stored(lambda **given: work.digest(*_corpus_parts(**given))))
def take_in(request: RebuildRequest, fingerprint: str, on_blocks: Callable[[int], None]) -> Corpus:
    """The source judged, ranked and sorted into shards."""
    folder = work.place("corpus", *_corpus_parts(request, fingerprint))
    return corpora.take_in(open_source(request), fingerprint, request.curation, folder, on_blocks)


def _curated_parts(corpus: Corpus, number: int, options: CurationOptions) -> tuple[object, ...]:
    return corpus.folder.name, number, options.model_dump_json()


@task(
    task_run_name="curate shard {number}",
    retries=1,
    **stored(lambda **given: work.digest(*_curated_parts(**given))),
)
def curate_shard(corpus: Corpus, number: int, options: CurationOptions) -> CuratedShard:
    """The solutions of one shard."""
    folder = work.place("curated", *_curated_parts(corpus, number, options))
    return apart(shards.curate_shard, corpus, number, options, folder)


def _studied_parts(shard: CuratedShard, code_tokens: int) -> tuple[object, ...]:
    return shard.number, shard.solutions_sha256, code_tokens


@task(
    task_run_name="study shard {shard.number}",
    retries=1,
    **stored(lambda **given: work.digest(*_studied_parts(**given))),
)
def study_shard(shard: CuratedShard, code_tokens: int) -> StudiedShard:
    """What the syntax trees of a shard's solutions show."""
    folder = work.place("studied", *_studied_parts(shard, code_tokens))
    return apart(study.study_shard, shard, code_tokens, folder / "studied.parquet")


def _read_parts(shard: StudiedShard, only: frozenset[str] | None, threshold: float) -> tuple[object, ...]:
    return "static", shard.number, shard.sha256, only and sorted(only), threshold


@task(
    task_run_name="read shard {shard.number}",
    retries=1,
    **stored(lambda **given: work.digest(*_read_parts(**given))),
)
def read_shard(shard: StudiedShard, only: frozenset[str] | None, threshold: float) -> InstructedShard:
    """The static extractor's instructions of a shard."""
    folder = work.place("instructed", *_read_parts(shard, only, threshold))
    return apart(instruct.read_shard, shard, only, threshold, folder)


@task(task_run_name="ask the model", tags=["llm"], cache_policy=NO_CACHE, persist_result=False)
def ask_shards(
    shards: Sequence[StudiedShard],
    only: frozenset[str] | None,
    threshold: float,
    competitions: Mapping[str, Mapping[str, Any]],
    client: Client,
    prompts: Sequence[str],
    on_done: Callable[[Progress], None],
) -> list[InstructedShard]:
    """The model's instructions of all shards; calls stand in the ledger, shards in folders: none twice.

    prompts: what the prompts are, so that shards of other prompts do not stand for these.
    """
    profile = client.profile
    how = (only and sorted(only), threshold, profile.model_dump_json(), *prompts)

    def folder_of(shard: StudiedShard) -> Path:
        return work.place("instructed", "model", shard.number, shard.sha256, *how)

    return instruct.ask_shards(
        shards, only, competitions, client, profile.prompt_set, threshold, folder_of, on_done
    )


@task(task_run_name="assemble the version", cache_policy=NO_CACHE, persist_result=False, retries=1)
def assemble(
    corpus: Corpus,
    curated: Sequence[CuratedShard],
    instructed: Sequence[InstructedShard],
    request: RebuildRequest,
    inputs: dict[str, Any],
) -> tuple[Version, bool]:
    """The version, whole or not at all, and whether it is new."""
    with Ledger(ledger_path()) as ledger, counter(request.tokenizer) as count:
        return assembly.assemble(corpus, curated, instructed, request, inputs, count, ledger)


@task(
    task_run_name="announce {version.name}",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=2,
    retry_delay_seconds=2,
)
def announce(version: Version) -> None:
    """Tell the Prefect server that a new version is published: what waits for it (a fine-tune) may start."""
    rows = {
        name: version.manifest.rows[name]
        for name in ("competitions", "solutions", "instructions", "examples")
    }
    emit_event(
        event=PUBLISHED,
        resource={
            "prefect.resource.id": f"linguacodus.dataset.{version.name}",
            "prefect.resource.name": version.name,
        },
        payload={"version": version.name, "source": version.manifest.inputs["source"], "rows": rows},
    )
