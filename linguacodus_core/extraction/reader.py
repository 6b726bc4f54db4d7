"""One pass over a syntax tree in the order of execution: what is built, and where it flows.

Variables carry references to the models, splitters and transformers that their values came from. Functions
are read when they are first used, with what is passed to them; what nothing uses is read last, as dead code.
"""

import ast
from collections.abc import Callable, Iterable
from typing import Any

from linguacodus_core.extraction import calls, columnsteps, manualsplits, methods
from linguacodus_core.extraction.constants import key_of
from linguacodus_core.extraction.expressions import Expressions
from linguacodus_core.extraction.reading import base_name
from linguacodus_core.extraction.scopes import Refs, merged


class Reader(Expressions):
    """How statements are read. Call `read` once; what was found lies in the attributes."""

    def __init__(self) -> None:
        super().__init__()
        self._do: dict[type[ast.AST], Callable[[Any], None]] = {
            ast.Import: self.names.read_import,
            ast.ImportFrom: self.names.read_from,
            ast.Expr: self._expression,
            ast.Assign: self._assign,
            ast.AnnAssign: self._annotated,
            ast.AugAssign: self._augmented,
            ast.For: self._for,
            ast.AsyncFor: self._for,
            ast.While: self._while,
            ast.If: self._if,
            ast.With: self._with,
            ast.AsyncWith: self._with,
            ast.Try: self._try,
            ast.Match: self._match,
            ast.FunctionDef: self._function,
            ast.AsyncFunctionDef: self._function,
            ast.ClassDef: self._class,
            ast.Return: self._return,
            ast.Delete: self._delete,
            ast.Global: self._global,
        }

    def read(self, tree: ast.Module) -> None:
        """Go through the whole module, then through what nothing used."""
        self.block(tree.body)
        self.dead = True
        for defined in self.classes:
            self.enter_class(defined)
        for function in self.functions:
            self.enter(function, (), {})
        self.dead = False

    def block(self, body: Iterable[ast.stmt]) -> None:
        """Statements in their order; one that is nested too deeply is looked through for calls only."""
        for statement in body:
            do = self._do.get(type(statement))
            if do is None:
                continue
            scope, depth, folds, loops = self.scope, self.depth, self.folds, self.loops
            try:
                do(statement)
            except RecursionError:
                self.scope, self.depth, self.folds, self.loops = scope, depth, folds, loops
                self._shallow(statement)

    def _shallow(self, statement: ast.stmt) -> None:
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and (full := self.names.dotted(node.func)):
                self.used.add(full.split(".", 1)[0])
                calls.known(self, node, full, full.rsplit(".", 1)[-1], ())

    def _expression(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call | ast.Await | ast.Attribute | ast.Subscript | ast.ListComp):
            self.see(node.value)

    def _assign(self, node: ast.Assign) -> None:
        self._store(node.targets, node.value)

    def _annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._store([node.target], node.value)

    def _store(self, targets: list[ast.expr], value: ast.expr) -> None:
        before, known = self.noted, len(self.steps)
        refs: Refs = ()
        outer, self.assigning = self.assigning, targets[0]
        if isinstance(value, ast.Tuple) and all(
            isinstance(target, ast.Tuple) and len(target.elts) == len(value.elts) for target in targets
        ):
            parts = [self.see(item) for item in value.elts]
            for target in targets:
                assert isinstance(target, ast.Tuple)
                for item, refs, part in zip(target.elts, parts, value.elts, strict=True):
                    self.bind(item, refs, part)
        else:
            refs = self.see(value)
            for target in targets:
                self.bind(target, refs, value)
        self.assigning = outer
        for target in targets:
            columnsteps.assigned(self, target, value, refs, untouched=self._untouched(before, known, value))
        manualsplits.assigned(self, targets[0], value)

    def _untouched(self, before: int, known: int, value: ast.expr) -> bool:
        """Whether nothing was noted in a value, or only gaps filled on the way to something else."""
        if self.noted == before:
            return True
        filled = (
            isinstance(value, ast.Call)
            and isinstance(value.func, ast.Attribute)
            and value.func.attr == "fillna"
        )
        made = self.steps[known:]
        return len(made) == self.noted - before and all(step.kind == "impute" for step in made) and not filled

    def _augmented(self, node: ast.AugAssign) -> None:
        refs = self.see(node.value)
        columnsteps.augmented(self, node)
        if refs and isinstance(node.op, ast.Add):
            methods.gathered(self, node.target, node.value, refs)
        key = key_of(node.target)
        base = base_name(node.target)
        for name in filter(None, dict.fromkeys((key, base))):
            if refs:
                self.scope.refs[name] = merged(self.refs_of(name), refs)
            if isinstance(node.op, ast.Add) and name == key and key in self.scope.nodes:
                joined = ast.BinOp(left=self.scope.nodes[key], op=node.op, right=node.value)
                self.scope.nodes[key] = joined

    def _for(self, node: ast.For) -> None:
        known = len(self.splits)
        refs = self.see(node.iter)
        self.bind(node.target, refs, None)
        if isinstance(node.target, ast.Name):
            self.scope.each[node.target.id] = node.iter
        in_folds = methods.is_fold_loop(self, node, refs)
        self.folds += in_folds
        self.fold_splits.extend(range(known, len(self.splits)))
        self.loops += 1
        self.block(node.body)
        self.loops -= 1
        self.folds -= in_folds
        self.fold_splits = [position for position in self.fold_splits if position < known]
        self.block(node.orelse)

    def _while(self, node: ast.While) -> None:
        self.see(node.test)
        self.block(node.body)

    def _if(self, node: ast.If) -> None:
        outer = self.adding
        while True:
            self.see(node.test)
            self.block(node.body)
            self.adding = True
            if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
                node = node.orelse[0]
                continue
            self.block(node.orelse)
            break
        self.adding = outer

    def _with(self, node: ast.With) -> None:
        for item in node.items:
            refs = self.see(item.context_expr)
            if item.optional_vars is not None:
                self.bind(item.optional_vars, refs, None)
        self.block(node.body)

    def _try(self, node: ast.Try) -> None:
        self.block(node.body)
        outer, self.adding = self.adding, True
        for handler in node.handlers:
            self.block(handler.body)
        self.adding = outer
        self.block(node.orelse)
        self.block(node.finalbody)

    def _match(self, node: ast.Match) -> None:
        self.see(node.subject)
        for case in node.cases:
            self.block(case.body)

    def _return(self, node: ast.Return) -> None:
        if node.value is not None:
            self._returned = merged(self._returned, self.see(node.value))

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            columnsteps.deleted(self, target)

    def _global(self, node: ast.Global) -> None:
        self.scope.globals.update(node.names)
