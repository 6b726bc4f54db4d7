"""Pulled kernels on disk, as `kaggle kernels pull -m` leaves them: kernel-metadata.json beside a code file.

The fields of kernel-metadata.json: https://github.com/Kaggle/kaggle-cli (docs, "Kernel Metadata").
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from linguacodus_core.sources.json_values import count, text, texts, whole
from linguacodus_core.sources.notes import Problem, note, problem

METADATA = "kernel-metadata.json"
NOTEBOOKS = frozenset({".ipynb", ".irnb"})
LANGUAGES = {
    ".py": "python",
    ".r": "r",
    ".irnb": "r",
    ".rmd": "rmarkdown",
    ".jl": "julia",
    ".sql": "sqlite",
}
"""The language of a file whose metadata name none; that of .ipynb stands in the notebook."""
_CODE = frozenset({*LANGUAGES, *NOTEBOOKS})
_SAME = {"python3": "python", "python2": "python", "ipython": "python", "ir": "r", "rmd": "rmarkdown"}


@dataclass(frozen=True)
class PulledKernel:
    """One kernel: what its metadata say, and where its code lies.

    kernel: "owner/slug", made unique by "@competition" where it was pulled for two. reference: without that.
    competition: the slug, None where neither metadata nor folder name one. path: of the code file, below the
    root. language: lower case, None where only the notebook can say. kind: notebook or script. on_kaggle:
    whether the metadata have the number that Kaggle gives to each kernel.
    """

    kernel: str
    reference: str
    competition: str | None
    title: str | None
    language: str | None
    kind: str
    votes: int | None
    on_kaggle: bool
    path: PurePosixPath


@dataclass(frozen=True)
class Pulled:
    """What a walk through a folder found: kernels by path, their files, and what could not be read."""

    kernels: list[PulledKernel]
    files: list[PurePosixPath]
    problems: list[Problem]


def find_kernels(root: Path) -> Pulled:
    """All kernels at any depth below `root`, in the order of their paths; hidden folders are passed over."""
    pulled = Pulled([], [], [])
    taken: dict[str, set[str | None]] = {}
    for folder, metadata, code in _kernel_folders(root):
        if not metadata:
            pulled.files.extend(folder / name for name in code)
            pulled.problems.extend(
                problem("kernels", str(folder / name), "no kernel-metadata.json") for name in code
            )
            continue
        pulled.files.append(folder / METADATA)
        said = _metadata(root / folder / METADATA)
        if isinstance(said, str):
            pulled.problems.append(problem("kernels", str(folder / METADATA), "broken metadata", said))
            continue
        kernel, remarks = _kernel(folder, said, code)
        pulled.problems.extend(remarks)
        if kernel is None:
            continue
        competitions = taken.setdefault(kernel.reference, set())
        if kernel.competition in competitions:
            pulled.problems.append(
                problem("kernels", kernel.reference, "pulled twice", str(folder), kernel.competition)
            )
            continue
        competitions.add(kernel.competition)
        pulled.files.append(kernel.path)
        pulled.kernels.append(kernel if len(competitions) == 1 else _again(kernel))
    return pulled


def choose_competition(named: Sequence[str], parents: Sequence[str]) -> tuple[str | None, bool]:
    """The competition of a kernel, and whether that was a choice among several with nothing to go by.

    named: the metadata's competition_sources. parents: the folders between the root and the kernel's own. One
    of `named` that is also a parent wins (as the folder spells it), then the only or the first of `named`;
    where none is named, the parent in a layout <competition>/<kernel>/.
    """
    folded = {parent.casefold(): parent for parent in parents}
    for name in named:
        if name.casefold() in folded:
            return folded[name.casefold()], False
    if named:
        return named[0], len(named) > 1
    return (parents[0] if len(parents) == 1 else None), False


def language(name: str | None) -> str | None:
    """A language's name in lower case, kernels' names resolved ("ir" is r); None for an empty one."""
    folded = (name or "").strip().lower()
    return _SAME.get(folded, folded) or None


def _kernel_folders(root: Path) -> list[tuple[PurePosixPath, bool, list[str]]]:
    """Folders with metadata or code: the path below the root, whether there are metadata, the code files."""
    found = []
    for place, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        code = sorted(name for name in names if PurePosixPath(name).suffix.lower() in _CODE)
        if METADATA in names or code:
            below = PurePosixPath(Path(place).relative_to(root).as_posix())
            found.append((below, METADATA in names, code))
    return sorted(found)


def _metadata(path: Path) -> dict[str, Any] | str:
    """The metadata, or what is wrong with them."""
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        return str(error)
    return said if isinstance(said, dict) else "no JSON object"


def _kernel(
    folder: PurePosixPath, said: dict[str, Any], code: list[str]
) -> tuple[PulledKernel | None, list[Problem]]:
    reference = text(said.get("id")) or whole(str(folder))
    names = texts(said.get("competition_sources"))
    competition, chosen = choose_competition(names, folder.parts[:-1])
    remarks = []
    if chosen:
        detail = f"{', '.join(names)}: {competition} is taken"
        remarks.append(note(reference, "several competitions", detail, competition))
    name = text(said.get("code_file"))
    if name not in code:
        if len(code) != 1:
            detail = f"{name} is not there; {len(code)} files could be it"
            return None, [*remarks, problem("kernels", reference, "no code file", detail, competition)]
        name = code[0]
    suffix = PurePosixPath(name).suffix.lower()
    return PulledKernel(
        kernel=reference,
        reference=reference,
        competition=competition,
        title=text(said.get("title")),
        language=language(text(said.get("language"))) or LANGUAGES.get(suffix),
        kind=(text(said.get("kernel_type")) or ("notebook" if suffix in NOTEBOOKS else "script")).lower(),
        votes=count(said.get("total_votes", said.get("totalVotes"))),
        on_kaggle=count(said.get("id_no")) is not None,
        path=folder / name,
    ), remarks


def _again(kernel: PulledKernel) -> PulledKernel:
    return replace(kernel, kernel=f"{kernel.reference}@{kernel.competition or ''}")
