"""One competition of a pull on disk: what it is, which kernels it lists, and what is known of each of them.

<competition>/competition.json            title, description, metric, tags, link
<competition>/listing.json                its kernels in order
<competition>/<owner>__<slug>/            one kernel: kernel-metadata.json beside its code
<competition>/.pull.json                  when it was listed and in which order; kernels that failed, and why
"""

import html
import json
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linguacodus_core import store
from linguacodus_core.metrics.detect import detect
from linguacodus_core.metrics.table import find
from linguacodus_core.sources.kaggle_answers import (
    Competition,
    ListedKernel,
    PulledKernel,
    competition_slug,
    kernel_name,
)

MOST_TRIES = 3
BY_VOTES = "voteCount"
_BY_SCORE = {"min": "scoreAscending", "max": "scoreDescending"}
_SECTIONS = {"description": "", "evaluation": "Evaluation", "data-description": "Data"}
"""Pages of a competition that become its description, and the headings that they get."""
_HTML = re.compile(r"<(?:p|div|h[1-6]|ul|ol|li|br|table|strong|em|a|img|span)\b", re.IGNORECASE)
_BLOCK = re.compile(r"(?=</?(?:p|div|h[1-6]|ul|ol|li|br|table|tr|pre|hr)\b)", re.IGNORECASE)


@dataclass(frozen=True)
class Failure:
    """A kernel that was not pulled. `tries`: how often so far. `again`: it may be tried once more."""

    reason: str
    tries: int
    again: bool


class Shelf:
    """The folder of one competition. Everything in it is written whole or not at all."""

    def __init__(self, folder: Path, slug: str) -> None:
        self.slug, self.path = slug, folder / slug
        state = _json(self.path / ".pull.json")
        self._state: dict[str, Any] = state if isinstance(state, dict) else {}
        self.failures: dict[str, Failure] = _failures(self._state.get("failed"))

    def fresh(self, hours: float, kernels: int) -> bool:
        """Whether the listing is whole, younger than that, and has that many kernels or all there are."""
        wanted, listed = self._state.get("wanted"), self._state.get("listed")
        return (
            _young(self._state.get("listed_at"), hours)
            and isinstance(wanted, int)
            and isinstance(listed, int)
            and (wanted >= kernels or listed < wanted)
            and listed == len(self.kernels())
            and (self.path / "competition.json").is_file()
        )

    @property
    def unusable(self) -> int:
        """How many kernels of the listing were left out for their names."""
        count = self._state.get("unusable")
        return count if isinstance(count, int) else 0

    def kernels(self) -> list[str]:
        """The listed kernels (owner/slug), in the listing's order."""
        rows = _json(self.path / "listing.json")
        names = (kernel_name(row.get("kernel")) for row in rows or () if isinstance(row, dict))
        return [name for name in names if name is not None]

    def describe(self, competition: Competition, pages: Mapping[str, str]) -> None:
        """Write competition.json."""
        content = {
            "competition": self.slug,
            "title": competition.title,
            "description": description(competition, pages),
            "metric_name": competition.metric_name,
            "tags": list(competition.tags),
            "link": f"https://www.kaggle.com/competitions/{self.slug}",
        }
        store.write_json(self.path / "competition.json", content)

    def list_kernels(
        self, kernels: Sequence[ListedKernel], sort_by: str, wanted: int, unusable: int = 0
    ) -> None:
        """Write listing.json, as of now; kernels that failed may be tried again, a few times in all."""
        ranked = sort_by != BY_VOTES
        rows = [
            {
                "kernel": one.kernel,
                "listed": place if ranked else None,
                "votes": one.votes,
                "comments": None,
                "score": None,
                "title": one.title,
            }
            for place, one in enumerate(kernels, 1)
        ]
        store.write_json(self.path / "listing.json", rows)
        self.failures = {
            kernel: Failure(one.reason, one.tries, one.tries < MOST_TRIES)
            for kernel, one in self.failures.items()
        }
        self._state = {
            "listed_at": time.time(),
            "listed": len(rows),
            "wanted": wanted,
            "sorted_by": sort_by,
            "unusable": unusable,
        }
        self._save()

    def fail(self, kernel: str, reason: str, *, final: bool) -> None:
        """Remember that a kernel could not be pulled; what is final is not tried before the next listing."""
        tries = self.failures[kernel].tries + 1 if kernel in self.failures else 1
        self.failures[kernel] = Failure(reason, tries, not final and tries < MOST_TRIES)
        self._save()

    def place(self, kernel: str, pulled: PulledKernel, workshop: Path) -> None:
        """Put a kernel into the folder: made in `workshop` (same file system), moved when it is whole."""
        made = workshop / folder_name(kernel)
        store.write_bytes(made / pulled.file, pulled.source)
        store.write_json(made / "kernel-metadata.json", pulled.metadata)
        self._move(kernel, made)

    def copy(self, kernel: str, other: Path, workshop: Path) -> None:
        """Put a kernel into the folder that was pulled for another competition."""
        made = workshop / folder_name(kernel)
        with store.described(made):
            shutil.copytree(other, made)
        self._move(kernel, made)

    def _move(self, kernel: str, made: Path) -> None:
        target = self.path / made.name
        with store.described(target):
            shutil.rmtree(target, ignore_errors=True)
            made.replace(target)
        if self.failures.pop(kernel, None) is not None:
            self._save()

    def _save(self) -> None:
        failed = {
            kernel: {"reason": one.reason, "tries": one.tries, "again": one.again}
            for kernel, one in self.failures.items()
        }
        store.write_json(self.path / ".pull.json", self._state | {"failed": failed})


def known_competitions(folder: Path, options: Sequence[str | int], hours: float) -> list[str]:
    """What Kaggle listed for these options less than that ago; empty when it must be asked."""
    known = _json(folder / ".competitions.json")
    if (
        not isinstance(known, dict)
        or known.get("options") != list(options)
        or not _young(known.get("at"), hours)
    ):
        return []
    return [slug for slug in map(competition_slug, known.get("slugs") or ()) if slug is not None]


def keep_competitions(folder: Path, options: Sequence[str | int], slugs: Sequence[str]) -> None:
    """Remember, as of now, what Kaggle listed for these options."""
    content = {"options": list(options), "at": time.time(), "slugs": list(slugs)}
    store.write_json(folder / ".competitions.json", content)


def folder_name(kernel: str) -> str:
    """The name of a kernel's folder: owner__slug."""
    return kernel.replace("/", "__")


def whole_kernels(folder: Path) -> set[Path]:
    """The kernel folders of a pull, of all competitions, whose metadata and code are there."""
    return {file.parent for file in folder.glob("[!.]*/*__*/kernel-metadata.json") if _whole(file)}


def best_first(competition: Competition, pages: Mapping[str, str]) -> str:
    """The order to list kernels in: by score, the best first, or by votes where that is not known.

    Kaggle sorts by the bare number, and its API does not say whether less is better: the metric table does,
    by the metric's name, else by the tags or the description. An unknown metric is not guessed.
    """
    if competition.metric_name:
        metric = find(competition.metric_name)
    else:
        metric = next((known for tag in competition.tags if (known := find(tag))), None)
        if metric is None and (found := detect(description(competition, pages))):
            metric = found[0].metric
    return BY_VOTES if metric is None else _BY_SCORE[metric.direction]


def description(competition: Competition, pages: Mapping[str, str]) -> str:
    """The task in plain text: the pages on the task, its evaluation and its data, else the API's one line."""
    texts = {re.sub(r"[\s_]+", "-", name.strip().lower()): text for name, text in pages.items()}
    parts = []
    for name, heading in _SECTIONS.items():
        text = plain(texts.get(name, "")) or (competition.summary if name == "description" else "")
        if text:
            parts.append(f"{heading}\n\n{text}" if heading else text)
    return "\n\n".join(parts)


def plain(text: str) -> str:
    """HTML as text; markdown and text as they are."""
    if not _HTML.search(text):
        return text.strip()
    import bleach  # comes with kaggle

    bare = html.unescape(bleach.clean(_BLOCK.sub("\n", text), tags=set(), strip=True, strip_comments=True))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.strip() for line in bare.splitlines())).strip()


def _young(at: object, hours: float) -> bool:
    return isinstance(at, int | float) and 0 <= time.time() - at < hours * 3600


def _whole(metadata: Path) -> bool:
    content = _json(metadata)
    name = content.get("code_file") if isinstance(content, dict) else None
    return isinstance(name, str) and bool(name) and (metadata.parent / Path(name).name).is_file()


def _failures(content: object) -> dict[str, Failure]:
    failures = {}
    for kernel, one in content.items() if isinstance(content, dict) else ():
        if isinstance(one, dict) and isinstance(one.get("tries"), int):
            failures[str(kernel)] = Failure(str(one.get("reason")), one["tries"], one.get("again") is True)
    return failures


def _json(file: Path) -> Any:
    """The file's JSON value; None where there is none, or a damaged one: it is then asked for anew."""
    try:
        return json.loads(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
