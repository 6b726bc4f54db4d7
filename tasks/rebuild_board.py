"""What a rebuild shows: progress lines everywhere, artifacts in the Prefect UI."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar
from uuid import UUID

import pyarrow.parquet as pq
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.futures import PrefectFuture, as_completed

from linguacodus_core.curation.competitions import unknown_metrics
from linguacodus_core.curation.corpus import Corpus
from linguacodus_core.curation.shard import CuratedShard
from linguacodus_core.dataset.funnel import added, lines, reasons
from linguacodus_core.dataset.projection import Projection
from linguacodus_core.dataset.request import RebuildRequest, RebuildResult
from linguacodus_core.dataset.version import CARD, FIGURE, open_version
from linguacodus_core.llm.progress import Progress
from linguacodus_core.progress import doing, say, warn
from tasks.ui import courtesy

SAY_SECONDS = 15.0
"""How often a long step says how far it is; a terminal's live line and the artifact move more often."""

SHOW_SECONDS = 1.0

Made = TypeVar("Made")


class Counting:
    """How far one step is."""

    def __init__(self, what: str, total: int | None) -> None:
        self.what, self.total, self.done = what, total, 0
        self._began = self._said = time.monotonic()
        self._shown = 0.0
        self._artifact: UUID | None = None
        if total is not None:
            with courtesy():
                made = create_progress_artifact(0.0, description=what)
                self._artifact = made if isinstance(made, UUID) else None

    def more(self, count: int = 1) -> None:
        """So many more are done."""
        self.done += count
        seconds = max(time.monotonic() - self._began, 1e-3)
        of = f" of {self.total:,}" if self.total is not None else f", {self.done / seconds:,.0f}/s"
        self._show(f"{self.what}: {self.done:,}{of}", self.done, self.total)

    def answered(self, progress: Progress) -> None:
        """A call more is answered."""
        self._show(f"{self.what}: {progress.line()}", progress.done, progress.total)

    def collect(self, futures: Sequence[PrefectFuture[Made]]) -> list[Made]:
        """The results of submitted tasks in their order, counted as they come. Raises the first failure."""
        for future in as_completed(list(futures)):
            future.result()
            self.more()
        return [future.result() for future in futures]

    def end(self) -> None:
        """The step is done."""
        self._advance(100.0)

    def _show(self, line: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if now - self._shown < SHOW_SECONDS and done != total:
            return
        self._shown = now
        doing(line)
        if now - self._said > SAY_SECONDS:
            self._said = now
            say(line)
        if total:
            self._advance(100 * done / total)

    def _advance(self, percent: float) -> None:
        if self._artifact:
            with courtesy():
                update_progress_artifact(self._artifact, progress=percent)


class RebuildBoard:
    """The public face of one rebuild."""

    def __init__(self, request: RebuildRequest) -> None:
        self._request = request

    @contextmanager
    def counting(self, what: str, total: int | None = None) -> Iterator[Counting]:
        """One step, from its beginning to its end."""
        began = time.monotonic()
        doing(what)
        counting = Counting(what, total)
        yield counting
        counting.end()
        said = f"{what}: {counting.done:,}" if counting.done else what
        say(f"{said} [{time.monotonic() - began:.1f} s]")

    def projected(
        self, corpus: Corpus, curated: Sequence[CuratedShard], projection: Projection, result: RebuildResult
    ) -> RebuildResult:
        """Show what a dry run found: the funnel, unknown metrics, and what extraction would cost."""
        dropped = [pq.read_table(corpus.folder / "dropped.parquet")]
        dropped += [shard.read("dropped") for shard in curated]
        counts = added(reasons(table) for table in dropped)
        for line in lines(counts, corpus.kernels, projection.solutions):
            say(line)
        if unknown := unknown_metrics(dropped[0]):
            names = ", ".join(f"{name} ({count})" for name, count in unknown.items())
            say(f"metrics that are not in the metric table, and their competitions: {names}")
        say(projection.line())
        self._table(counts)
        return result

    def warn_of_bare(self, curated: Sequence[CuratedShard]) -> None:
        """Say which competitions have no description: their prompts will say little."""
        rows = [row for shard in curated for row in shard.read("competitions").to_pylist()]
        bare = [row["competition"] for row in rows if not (row["description"] or "").strip()]
        if bare:
            named = ", ".join(bare[:5]) + (", ..." if len(bare) > 5 else "")
            warn(
                f"{len(bare)} of {len(rows)} competitions have no description ({named}): "
                "their prompts say little; --competitions-file can bring them"
            )

    def waiting(self, result: RebuildResult) -> RebuildResult:
        """Show what is waited for."""
        say(result.pending)
        return result

    def finished(self, result: RebuildResult) -> RebuildResult:
        """Show the version: its funnel and its card."""
        version = open_version(result.version)
        what = "published" if result.new else "unchanged"
        say(
            f"version {result.version} {what}: {result.instructions:,} instructions, "
            f"{result.examples:,} examples"
        )
        self._table(list(reasons(version.table("dropped", ["table", "reason"]))))
        card = "\n".join(line for line in version.text(CARD).splitlines() if FIGURE not in line)
        with courtesy():
            create_markdown_artifact(
                f"`{version.folder}`\n\n{card}",
                key=f"dataset-{self._request.source}",
                description=f"Dataset version {version.name}",
            )
        return result

    def _table(self, counts: Sequence[tuple[str, str, int]]) -> None:
        rows = [{"of": table, "dropped because": why, "rows": count} for table, why, count in counts]
        with courtesy():
            create_table_artifact(
                rows, key=f"funnel-{self._request.source}", description="Rows dropped, and why"
            )
