"""Prompts as files: `<root>/<set>/<name>.md`, YAML front matter and a Jinja2 body, checked before any call.

    ---
    name: plan
    version: 3
    description: Fill a PipelinePlan from an instruction.
    variables: [task, instruction]
    system: You are a data scientist.       # optional, a template too
    ---
    Task: {{ task }}
    ...                                     # the body is the user message

Every variable that a template uses is declared; a declared variable need not be used, so that two
sets can be called alike. A set that lacks a name falls back to the set `default`; a set may also be
given as the path of a folder.
"""

import difflib
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
import yaml
from jinja2 import meta
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from linguacodus_core.errors import PromptError

Message = dict[str, str]

FRONT_MATTER = re.compile(r"\A---[ \t]*\n(?P<matter>.*?)\n---[ \t]*(?:\n(?P<body>.*))?\Z", re.DOTALL)

_TEMPLATES = ImmutableSandboxedEnvironment(
    undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
)


@dataclass(frozen=True)
class Rendered:
    """A prompt ready to be sent.

    messages: chat messages, each with role and content. prompt: set, name and version, as
    "default/plan@3". sha256: of the prompt file.
    """

    messages: tuple[Message, ...]
    prompt: str
    sha256: str


class Prompt(BaseModel):
    """One prompt file. `body` is the user message, `system` the system message, both templates."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str
    version: int = Field(ge=1)
    description: str
    variables: list[str]
    system: str | None = None
    body: str
    set: str
    sha256: str

    @property
    def label(self) -> str:
        """Set, name and version: "default/plan@3"."""
        return f"{self.set}/{self.name}@{self.version}"

    def render(self, **variables: Any) -> Rendered:
        """The messages. Raises PromptError when a variable is missing or unknown, before anything is sent."""
        problems = []
        if missing := [name for name in self.variables if name not in variables]:
            problems.append(f"needs {', '.join(missing)}")
        if unknown := sorted(set(variables) - set(self.variables)):
            problems.append(f"does not know {', '.join(unknown)}")
        if problems:
            raise PromptError(
                f"the prompt {self.label} {' and '.join(problems)}",
                f"its variables are: {', '.join(self.variables) or 'none'}",
            )
        try:
            system = _template(self.system).render(variables).strip() if self.system else ""
            body = _template(self.body).render(variables).strip()
        except Exception as error:  # a template may raise anything at all
            raise PromptError(
                f"the prompt {self.label} cannot be filled: {error}", "mend the template or the variables"
            ) from error
        messages = [{"role": "system", "content": system}] if system else []
        messages.append({"role": "user", "content": body})
        return Rendered(tuple(messages), self.label, self.sha256)


def prompts_root() -> Path:
    """The folder of the prompt sets: it stands beside the package, in the source tree and installed."""
    return Path(__file__).parents[2] / "prompts"


def load(set: str, name: str, root: Path | None = None) -> Prompt:
    """The prompt of that set and name, from `default` where the set lacks it.

    Raises PromptError when neither has it, or when the file is not a valid prompt.
    """
    top = root or prompts_root()
    folder = Path(set) if os.sep in set else top / set
    if not folder.is_dir():
        sets = sorted(path.name for path in top.iterdir() if path.is_dir()) if top.is_dir() else []
        raise PromptError(f"there is no prompt set {set!r} in {top}", _near(set, sets))
    for place in (folder, top / "default"):
        if (file := place / f"{name}.md").is_file():
            return _read(file, file.stat().st_mtime_ns)
    names = sorted({path.stem for place in (folder, top / "default") for path in place.glob("*.md")})
    raise PromptError(f"the prompt set {set!r} has no prompt {name!r}", _near(name, names))


def has(set: str, name: str, root: Path | None = None) -> bool:
    """Whether a set has a prompt of that name itself, not by falling back to `default`."""
    folder = Path(set) if os.sep in set else (root or prompts_root()) / set
    return (folder / f"{name}.md").is_file()


def check_all(root: Path | None = None) -> list[Prompt]:
    """Every prompt of every set, each checked. Raises PromptError at the first that is not valid."""
    return list(_all(root or prompts_root()))


def _all(top: Path) -> Iterator[Prompt]:
    for file in sorted(top.glob("*/*.md")):
        yield _read(file, file.stat().st_mtime_ns)


def _near(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return (f"did you mean {close[0]}? " if close else "") + f"known: {', '.join(known) or 'none'}"


@lru_cache(maxsize=256)
def _read(file: Path, modified: int) -> Prompt:
    try:
        text = file.read_text("utf-8").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"{file} cannot be read: {error}", "a prompt is a UTF-8 text file") from error
    found = FRONT_MATTER.match(text)
    if not found:
        raise PromptError(
            f"{file} has no front matter", "start it with a YAML block between two lines of ---"
        )
    try:
        matter = yaml.safe_load(found["matter"])
    except yaml.YAMLError as error:
        raise PromptError(f"the front matter of {file} is not valid YAML: {error}", "mend it") from error
    if not isinstance(matter, dict):
        raise PromptError(
            f"the front matter of {file} is not a mapping", "it holds name, version, variables, ..."
        )
    if taken := sorted({"body", "set", "sha256"} & matter.keys()):
        raise PromptError(f"the front matter of {file} may not set {', '.join(taken)}", "remove it")
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    try:
        prompt = Prompt(**matter, body=found["body"] or "", set=file.parent.name, sha256=sha256)
    except (ValidationError, TypeError) as error:
        if isinstance(error, ValidationError):
            what = "; ".join(
                f"{'.'.join(map(str, item['loc']))}: {item['msg']}"
                for item in error.errors(include_url=False)
            )
        else:
            what = str(error)
        raise PromptError(f"the front matter of {file} is not that of a prompt: {what}", "mend it") from error
    if prompt.name != file.stem:
        raise PromptError(f"{file} calls itself {prompt.name!r}", f"its name must be {file.stem!r}")
    if not prompt.body.strip():
        raise PromptError(f"{file} has no body", "write the user message under the front matter")
    used = _used(prompt.body, file) | _used(prompt.system or "", file)
    if undeclared := sorted(used.difference(prompt.variables)):
        raise PromptError(
            f"{file} uses {', '.join(undeclared)}, which its front matter does not declare",
            "add it to `variables`, or mend the spelling",
        )
    return prompt


def _used(template: str, file: Path) -> frozenset[str]:
    try:
        return frozenset(meta.find_undeclared_variables(_TEMPLATES.parse(template)))
    except jinja2.TemplateError as error:
        line = getattr(error, "lineno", None)
        raise PromptError(
            f"{file} is not a valid template: {error}" + (f" (line {line} of the text)" if line else ""),
            "mend it; the syntax is Jinja2's",
        ) from error


@lru_cache(maxsize=512)
def _template(source: str) -> jinja2.Template:
    return _TEMPLATES.from_string(source)
