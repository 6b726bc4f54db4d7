"""What Kaggle's API answers, made safe: names are plain slugs, texts and numbers are what they should be.

Whoever publishes a kernel or a competition chooses its names and texts: none of them can leave its folder,
and nothing has a size that no honest answer has.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from linguacodus_core.errors import CorpusError
from linguacodus_core.sources.json_values import count, whole

MOST_CODE_BYTES = 30 << 20

_LONGEST_NAME, _LONGEST_TITLE, _LONGEST_PAGE, _MOST_NAMES = 200, 300, 200_000, 200
_SITE = r"https://(?:www\.)?kaggle\.com"
_COMPETITION = re.compile(rf"(?:(?:{_SITE})?/(?:c|competitions)/)?([A-Za-z0-9][A-Za-z0-9_-]{{0,99}})/?")
_KERNEL = re.compile(
    rf"(?:(?:{_SITE})?/code/|{_SITE}/)?([A-Za-z0-9][A-Za-z0-9_-]{{0,79}})/([A-Za-z0-9_-]{{1,150}})"
)
_EXTENSIONS = {
    ("script", "python"): ".py",
    ("script", "r"): ".R",
    ("script", "rmarkdown"): ".Rmd",
    ("script", "sqlite"): ".sql",
    ("script", "julia"): ".jl",
    ("notebook", "python"): ".ipynb",
    ("notebook", "r"): ".irnb",
    ("notebook", "julia"): ".ijlnb",
}
"""As the kaggle package names code files."""


@dataclass(frozen=True)
class Competition:
    """What the API says of a competition; `metric_name` in Kaggle's words, "" where it names none."""

    slug: str
    title: str
    summary: str
    metric_name: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class ListedKernel:
    """One kernel of a listing; `kernel` is owner/slug. The API's listing tells no score and no comments."""

    kernel: str
    title: str
    votes: int | None


@dataclass(frozen=True)
class PulledKernel:
    """A kernel's code and metadata, as `kaggle kernels pull -m` writes them; `file` is a bare file name."""

    file: str
    source: bytes
    metadata: dict[str, Any]


class Unusable(CorpusError):
    """An answer that cannot be kept; `problem` says why."""


def kernel_name(ref: object) -> str | None:
    """owner/slug of a kernel's reference or address; None for whatever else.

    An owner with "__" in it is refused, so that owner__slug names one kernel only.
    """
    match = _KERNEL.fullmatch(ref) if isinstance(ref, str) else None
    if match is None or "__" in match[1] or match[1].endswith("_"):
        return None
    return f"{match[1]}/{match[2]}"


def competition_slug(ref: object) -> str | None:
    """The slug of a competition's name or address; None for whatever else."""
    match = _COMPETITION.fullmatch(ref) if isinstance(ref, str) else None
    return match[1] if match else None


def read_competition(answer: Any) -> Competition | None:
    """An ApiCompetition; None when its name is unusable."""
    slug = competition_slug(answer.ref) or competition_slug(answer.url)
    if slug is None:
        return None
    tags = [_name(tag.name) or _name(tag.ref) for tag in answer.tags[:_MOST_NAMES]]
    return Competition(
        slug=slug,
        title=_text(answer.title, _LONGEST_TITLE) or slug,
        summary=_text(answer.description, _LONGEST_PAGE),
        metric_name=_name(answer.evaluation_metric),
        tags=tuple(tag for tag in tags if tag),
    )


def read_pages(answer: Any) -> dict[str, str]:
    """The ApiCompetitionPages of a competition: name -> HTML or markdown."""
    return {_name(page.name): _text(page.content, _LONGEST_PAGE) for page in answer[:_MOST_NAMES]}


def read_listed(answer: Any) -> ListedKernel | None:
    """An ApiKernelMetadata of a listing; None when its name is unusable."""
    name = kernel_name(answer.ref)
    if name is None:
        return None
    return ListedKernel(name, _text(answer.title, _LONGEST_TITLE), count(answer.total_votes))


def read_kernel(kernel: str, answer: Any) -> PulledKernel:
    """An ApiGetKernelResponse for that kernel (owner/slug). Raises Unusable: no code, or too much of it."""
    metadata, blob = answer.metadata, answer.blob
    if metadata is None or blob is None or not _text(blob.source, MOST_CODE_BYTES).strip():
        raise Unusable("no code in it")
    source = whole(blob.source).encode()
    if len(source) > MOST_CODE_BYTES:
        raise Unusable("more code than is kept")
    kind = _name(blob.kernel_type or metadata.kernel_type).lower()
    language = _name(blob.language or metadata.language).lower() or "python"
    extension = _EXTENSIONS.get((kind, language))
    if extension is None:
        raise Unusable("code of a kind that is not known")
    file = kernel.split("/")[1] + extension
    return PulledKernel(
        file,
        source,
        {
            "id": kernel,
            "id_no": count(metadata.id),
            "title": _text(metadata.title, _LONGEST_TITLE),
            "code_file": file,
            "language": language,
            "kernel_type": kind,
            "is_private": metadata.is_private is True,
            "enable_gpu": metadata.enable_gpu is True,
            "enable_tpu": metadata.enable_tpu is True,
            "enable_internet": metadata.enable_internet is True,
            "keywords": _names(metadata.category_ids),
            "dataset_sources": _names(metadata.dataset_data_sources),
            "kernel_sources": _names(metadata.kernel_data_sources),
            "competition_sources": [
                name for name in _names(metadata.competition_data_sources) if competition_slug(name)
            ],
            "model_sources": _names(metadata.model_data_sources),
            "docker_image": _name(metadata.docker_image),
            "machine_shape": _name(metadata.machine_shape),
        },
    )


def token(answer: Any) -> str:
    """The token of the next page; "" on the last one, or where pages are counted."""
    return _text(answer.next_page_token, 4000)


def _text(value: object, longest: int) -> str:
    return whole(value[:longest]) if isinstance(value, str) else ""


def _name(value: object) -> str:
    return _text(value, _LONGEST_NAME)


def _names(values: Iterable[object]) -> list[str]:
    return [name for value in list(values)[:_MOST_NAMES] if (name := _name(value))]
