"""What the reader keeps while it goes through code: scopes, functions, classes, and the things that flow."""

import ast
from dataclasses import dataclass, field
from typing import Any

Refs = tuple[int, ...]
"""Positions in `Reader.things` of what an expression carries, the nearest first."""


@dataclass(slots=True)
class Thing:
    """Something that flows through the code: a model, splitter, search, transformer, or a function's
    parameter.

    kind: model, network, splitter, search, transformer, instance (of a class of the code), parameter.
    members: things inside it. title: what the author calls it.
    bindings: of a parameter, what was passed for it. touched: the clock at its last fit or prediction.
    """

    kind: str
    name: str = ""
    library: str = ""
    family: str = ""
    line: int = 0
    also: tuple[str, ...] = ()
    title: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    tuned: list[str] = field(default_factory=list)
    layers: dict[str, int] = field(default_factory=dict)
    wrappers: list[str] = field(default_factory=list)
    members: list[int] = field(default_factory=list)
    bindings: dict[int, None] = field(default_factory=dict)
    dead: bool = False
    fitted: bool = False
    applied: bool = False
    helper: bool = False
    inner: bool = False
    touched: int = 0
    step: int = -1


@dataclass(slots=True)
class Scope:
    """Names of one module, class or function, and the layers that it built and no network claimed yet."""

    parent: "Scope | None" = None
    refs: dict[str, Refs] = field(default_factory=dict)
    nodes: dict[str, ast.expr] = field(default_factory=dict)
    each: dict[str, ast.expr] = field(default_factory=dict)
    defs: "dict[str, Function | Class]" = field(default_factory=dict)
    layers: list[str] = field(default_factory=list)
    globals: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Function:
    """A function defined in the code; its body is read when it is first used."""

    node: ast.FunctionDef | ast.AsyncFunctionDef
    scope: Scope
    own: bool = False
    state: str = "new"
    returns: Refs = ()
    parameters: dict[str, int] = field(default_factory=dict)
    layers: list[str] = field(default_factory=list)
    fits: bool = False


@dataclass(slots=True)
class Class:
    """A class defined in the code; its methods are read when it is first used."""

    node: ast.ClassDef
    scope: Scope
    state: str = "new"
    inner: Scope = field(default_factory=Scope)
    methods: dict[str, Function] = field(default_factory=dict)
    network: int = -1
    instance: int = -1
    refs: Refs = ()


@dataclass(slots=True)
class Joined:
    """An ensemble as it is collected: refs of its members, and of the model above them (-1 where none is)."""

    kind: str
    members: Refs
    final: int
    detail: str
    line: int


@dataclass(slots=True)
class Noted:
    """A step as it is collected: it may still get columns."""

    kind: str
    how: str
    columns: dict[str, None]
    detail: str
    line: int
    dead: bool


def merged(*many: Refs) -> Refs:
    """All refs in order, each once."""
    kept = [refs for refs in many if refs]
    if not kept:
        return ()
    if len(kept) == 1:
        return kept[0]
    return tuple(dict.fromkeys(ref for refs in kept for ref in refs))[:24]
