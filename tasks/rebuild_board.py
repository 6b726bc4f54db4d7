"""What a rebuild shows: progress lines everywhere, artifacts in the Prefect UI."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow.parquet as pq
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from linguacodus_core.curation.competitions import unknown_metrics
from linguacodus_core.curation.corpus import Corpus
from linguacodus_core.curation.shard import CuratedShard
from linguacodus_core.dataset.funnel import added, lines, reasons
from linguacodus_core.dataset.projection import Projection
from linguacodus_core.dataset.request import RebuildRequest, RebuildResult
from linguacodus_core.dataset.version import CARD, FIGURE, open_version
from linguacodus_core.progress import doing, say, warn
from tasks.counting import Counting
from tasks.ui import courtesy


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
