"""The state of one reading of code: scopes, the things that flow through them, and what was noted."""

import ast
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from linguacodus_core.extraction.constants import key_of, value_of
from linguacodus_core.extraction.evidence import Split
from linguacodus_core.extraction.names import Names
from linguacodus_core.extraction.scopes import Class, Function, Joined, Noted, Refs, Scope, Thing, merged


class Reading(ABC):
    """Names and things; how statements and expressions are read is for `Reader`."""

    def __init__(self) -> None:
        self.names = Names()
        self.module = Scope()
        self.scope = self.module
        self.things: list[Thing] = []
        self.steps: list[Noted] = []
        self.splits: list[Split] = []
        self.ensembles: list[Joined] = []
        self.sinks: list[tuple[str, Refs, int]] = []
        self.called: set[str] = set()
        self.used: set[str] = set()
        self.targets: set[str] = set()
        self.fold_counts: list[int | None] = []
        self.pending_aggregates: list[tuple[str, tuple[str, ...], tuple[str, ...], int]] = []
        self.folds = 0
        self.loops = 0
        self.depth = 0
        self.clock = 0
        self.fit_count = 0
        self.fold_splits: list[int] = []
        self.noted = 0
        self.dead = False
        self.function_name = ""
        self.adding = False
        self.assigning: ast.expr | None = None
        self.functions: list[Function] = []
        self.instances: dict[int, Class] = {}
        self.classes: list[Class] = []
        self._returned: Refs = ()

    @abstractmethod
    def see(self, node: ast.AST) -> Refs:
        """What an expression carries; everything called in it is noted on the way."""

    @abstractmethod
    def block(self, body: Iterable[ast.stmt]) -> None:
        """Read statements in their order."""

    @abstractmethod
    def arguments(self, node: ast.Call) -> Refs:
        """What all arguments of a call carry, in order."""

    @abstractmethod
    def enter(self, function: Function, positional: Iterable[ast.expr], named: dict[str, ast.expr]) -> None:
        """Read a function's body, once, with the constants that its first call passes."""

    @abstractmethod
    def passed(self, function: Function, positional: list[Refs], named: dict[str | None, Refs]) -> Refs:
        """What a call of that function returns, with what it was given in place of its parameters."""

    def bind(self, target: ast.expr, refs: Refs, value: ast.expr | None) -> None:
        """Let a target carry those refs; a name forgets what it carried, a part of something adds to it."""
        if isinstance(target, ast.Tuple | ast.List):
            for item in target.elts:
                self.bind(item, refs, None)
            return
        if isinstance(target, ast.Starred):
            self.bind(target.value, refs, None)
            return
        scope = self.scope_of(target)
        if isinstance(target, ast.Name):
            name = target.id
            scope.refs[name] = merged(scope.refs.get(name, ()), refs) if self.adding else refs
            if value is None:
                scope.nodes.pop(name, None)
            elif not (self.adding and name in scope.nodes):
                scope.nodes[name] = _unfolded(name, value, scope.nodes.get(name))
            scope.each.pop(name, None)
            if isinstance(value, ast.Attribute | ast.Name):
                self._alias(name, value)
            if isinstance(value, ast.Dict) and refs:
                self._keys(name, value, scope)
            return
        key = key_of(target)
        if key is not None:
            if value is not None:
                scope.nodes[key] = value
            if refs:
                scope.refs[key] = refs
        base = base_name(target)
        if base is not None and refs and not (base == "self" and key is not None):
            scope.refs[base] = merged(self.refs_of(base), refs)

    def _alias(self, name: str, value: ast.expr) -> None:
        full = self.names.dotted(value)
        if full is not None and isinstance(value, ast.Attribute):
            self.names.aliases.setdefault(name, full)

    def _keys(self, name: str, value: ast.Dict, scope: Scope) -> None:
        for key, item in zip(value.keys, value.values, strict=True):
            if (
                isinstance(key, ast.Constant)
                and isinstance(key.value, str)
                and isinstance(item, ast.Name | ast.Call)
            ):
                inner = self.refs_of(item.id) if isinstance(item, ast.Name) else ()
                if inner:
                    scope.refs[f"{name}[{key.value}]"] = inner

    def scope_of(self, target: ast.expr) -> Scope:
        """The scope in which a target is stored: the class's for self, the module's for globals."""
        base = base_name(target)
        if base in self.scope.globals:
            return self.module
        if base == "self" and not isinstance(target, ast.Name):
            scope: Scope | None = self.scope
            while scope is not None and not any(key.startswith("self.") for key in scope.defs):
                scope = scope.parent
            return scope or self.scope
        return self.scope

    def refs_of(self, name: str) -> Refs:
        """What a name carries, in the innermost scope that knows it."""
        scope: Scope | None = self.scope
        while scope is not None:
            found = scope.refs.get(name)
            if found is not None:
                return found
            scope = scope.parent
        return ()

    def lookup(self, name: str) -> ast.expr | None:
        """The expression that a name is bound to, in the innermost scope that knows it."""
        scope: Scope | None = self.scope
        while scope is not None:
            found = scope.nodes.get(name)
            if found is not None:
                return found
            scope = scope.parent
        if "." in name:
            base, attribute = name.split(".", 1)
            bound = self.lookup(base)
            if isinstance(bound, ast.Call) and isinstance(bound.func, ast.Name):
                return self.lookup(f"{bound.func.id}.{attribute}")
        return None

    def each_of(self, name: str) -> ast.expr | None:
        """What a loop variable runs over."""
        scope: Scope | None = self.scope
        while scope is not None:
            found = scope.each.get(name)
            if found is not None:
                return found
            scope = scope.parent
        return None

    def defined(self, name: str) -> Function | Class | None:
        """The function or class of that name."""
        scope: Scope | None = self.scope
        while scope is not None:
            found = scope.defs.get(name)
            if found is not None:
                return found
            scope = scope.parent
        return None

    def constant(self, node: ast.expr | None) -> Any:
        """The literal that an expression stands for, None where the code does not show it."""
        return value_of(node, self.lookup)

    def add(self, thing: Thing) -> int:
        """Keep a thing; its reference."""
        thing.dead = self.dead
        self.things.append(thing)
        return len(self.things) - 1

    def note(
        self, kind: str, how: str = "", columns: Iterable[str] = (), detail: str = "", line: int = 0
    ) -> int:
        """Keep a step; its position in `steps`."""
        self.noted += 1
        self.steps.append(Noted(kind, how, dict.fromkeys(columns), detail, line, self.dead))
        return len(self.steps) - 1

    def touch(self, refs: Refs, *, fitted: bool = False, applied: bool = False) -> None:
        """Models among refs, and what they hold, were fitted or applied just now."""
        self.clock += 1
        if fitted:
            self.fit_count += 1
            self.mark_folds()
        for ref in refs:
            thing = self.things[ref]
            thing.fitted |= fitted
            thing.applied |= applied
            thing.touched = self.clock

    def mark_folds(self) -> None:
        """A model is fitted in the folds that are being gone through."""
        for position in self.fold_splits:
            if position < len(self.splits) and not self.splits[position].fits:
                self.splits[position] = self.splits[position].model_copy(update={"fits": True})

    def kinds(self, refs: Refs, *kinds: str) -> Refs:
        """The refs whose things are of those kinds."""
        return tuple(ref for ref in refs if self.things[ref].kind in kinds)

    def inside_network(self) -> bool:
        """Whether the code that is being read stands in a network's class."""
        scope: Scope | None = self.scope
        while scope is not None:
            if any(
                defined.inner is scope and defined.network >= 0
                for defined in self.classes
                if defined.state == "running"
            ):
                return True
            scope = scope.parent
        return False

    def without_parameters(self, refs: Refs) -> Refs:
        """The refs that are no function's parameter."""
        return tuple(ref for ref in refs if self.things[ref].kind != "parameter")


def base_name(node: ast.expr) -> str | None:
    """The first name of a chain of attributes, subscripts and calls."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call | ast.Starred):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def _unfolded(name: str, value: ast.expr, before: ast.expr | None) -> ast.expr:
    """`params = {**params, "x": 1}` with what params was before in the place of its own name."""
    if not isinstance(value, ast.Dict) or not any(
        isinstance(v, ast.Name) and v.id == name for v in value.values
    ):
        return value
    values = [
        before or ast.Dict([], []) if isinstance(v, ast.Name) and v.id == name else v for v in value.values
    ]
    return ast.Dict(value.keys, values)
