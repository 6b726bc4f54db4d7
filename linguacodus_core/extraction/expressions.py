"""Expressions: what they carry, and what is called in them."""

import ast
from collections.abc import Callable
from typing import Any

from linguacodus_core.extraction import calls, columnsteps, methods
from linguacodus_core.extraction.columns import columns_of
from linguacodus_core.extraction.constants import key_of
from linguacodus_core.extraction.definitions import Definitions
from linguacodus_core.extraction.modelcatalog import MODELS
from linguacodus_core.extraction.names import library
from linguacodus_core.extraction.networkcatalog import BACKBONES, LAYER_KINDS, family_of_checkpoint
from linguacodus_core.extraction.reading import base_name
from linguacodus_core.extraction.scopes import Class, Function, Refs, Thing, merged
from linguacodus_core.extraction.stepcatalog import DATE_PARTS, TRANSFORMERS


class Expressions(Definitions):
    """How expressions are read."""

    def __init__(self) -> None:
        super().__init__()
        self._see: dict[type[ast.AST], Callable[[Any], Refs]] = {
            ast.Constant: self._nothing,
            ast.Name: self._name,
            ast.Attribute: self._attribute,
            ast.Call: self._call,
            ast.Subscript: self._subscript,
            ast.BinOp: self._binary,
            ast.Lambda: self._lambda,
            ast.Dict: self._mapping,
            ast.ListComp: self._comprehension,
            ast.SetComp: self._comprehension,
            ast.GeneratorExp: self._comprehension,
            ast.DictComp: self._comprehension,
            ast.NamedExpr: self._walrus,
            ast.JoinedStr: self._nothing,
            ast.Compare: self._compare,
        }

    def see(self, node: ast.AST) -> Refs:
        """What an expression carries; everything called in it is noted on the way."""
        seen = self._see.get(type(node))
        if seen is not None:
            return seen(node)
        found: Refs = ()
        for child in ast.iter_child_nodes(node):
            if refs := self.see(child):
                found = merged(found, refs)
        return found

    def _nothing(self, _node: ast.AST) -> Refs:
        return ()

    def _name(self, node: ast.Name) -> Refs:
        name = node.id
        if refs := self.refs_of(name):
            return refs
        if name in self.names.aliases:
            full = self.names.aliases[name]
            self.used.add(full.split(".", 1)[0])
            last = full.rsplit(".", 1)[-1]
            return self._referenced(full, last)
        defined = self.defined(name)
        if isinstance(defined, Function):
            self.enter(defined, (), {})
            return self.without_parameters(defined.returns)
        if isinstance(defined, Class):
            return self.enter_class(defined)
        return ()

    def _referenced(self, full: str, last: str) -> Refs:
        """A model's class used as a value, to be called by others."""
        root = full.split(".", 1)[0]
        if last in MODELS:
            return (self.add(Thing("model", last, library(full), MODELS[last])),)
        if last in LAYER_KINDS and root == "lasagne":
            self.scope.layers.append(LAYER_KINDS[last])
        elif BACKBONES.match(last) and calls.is_backbone(full, root):
            family = family_of_checkpoint(last) or "pretrained_cnn"
            thing = Thing("network", last, library(full), family, settings={"checkpoint": last})
            return (self.add(thing),)
        return ()

    def _attribute(self, node: ast.Attribute) -> Refs:
        base = node.value
        if isinstance(base, ast.Name):
            if refs := self.refs_of(f"{base.id}.{node.attr}"):
                return refs
            if base.id in self.names.aliases:
                full = self.names.aliases[base.id]
                self.used.add(full.split(".", 1)[0])
                return self._referenced(f"{full}.{node.attr}", node.attr)
        elif isinstance(base, ast.Attribute):
            if node.attr in DATE_PARTS and base.attr in ("dt", "index"):
                columnsteps.date_part(self, base.value, node.attr)
            elif node.attr == "codes" and base.attr == "cat":
                self.note("encode", "label", columns_of(self, base.value), line=node.lineno)
        return self.see(base)

    def _subscript(self, node: ast.Subscript) -> Refs:
        key = key_of(node)
        if key is not None and (refs := self.refs_of(key)):
            return refs
        found = self.see(node.value)
        if not isinstance(node.slice, ast.Constant | ast.Name):
            inside = self.see(node.slice)
            if isinstance(node.value, ast.Attribute) and node.value.attr in ("c_", "r_"):
                return inside
        return found

    def _compare(self, node: ast.Compare) -> Refs:
        found = self.see(node.left)
        for other in node.comparators:
            self.see(other)
        applied = any(self.things[ref].applied for ref in self.kinds(found, "model", "network"))
        if applied and isinstance(node.ops[0], ast.Gt | ast.GtE):
            known = self.constant(node.comparators[0])
            if isinstance(known, float) and 0 < known < 1:
                self.note("postprocess", f"cut at {known:g} into classes", line=node.lineno)
        return found

    def _binary(self, node: ast.BinOp) -> Refs:
        """A chain of sums is taken apart here, also for what it blends; so no chain is too long."""
        if not isinstance(node.op, ast.Add):
            columnsteps.divided(self, node)
            return merged(self.see(node.left), self.see(node.right))
        terms: list[ast.expr] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp) and isinstance(left.op, ast.Add):
            terms.append(left.right)
            left = left.left
        terms.append(left)
        terms.reverse()
        carried = [(term, self.see(term)) for term in terms]
        if sum(bool(refs) for _, refs in carried) > 1:
            methods.blended(self, carried, node.lineno)
        return merged(*(refs for _, refs in carried))

    def _lambda(self, node: ast.Lambda) -> Refs:
        return self.see(node.body)

    def _mapping(self, node: ast.Dict) -> Refs:
        found: Refs = ()
        for key, item in zip(node.keys, node.values, strict=True):
            if key is not None and not isinstance(key, ast.Constant):
                self.see(key)
            if not isinstance(item, ast.Constant) and (refs := self.see(item)):
                found = merged(found, refs)
        return found

    def _comprehension(self, node: Any) -> Refs:
        for part in node.generators:
            refs = self.see(part.iter)
            self.bind(part.target, refs, None)
            if isinstance(part.target, ast.Name):
                self.scope.each[part.target.id] = part.iter
            for test in part.ifs:
                self.see(test)
        if isinstance(node, ast.DictComp):
            return merged(self.see(node.key), self.see(node.value))
        return self.see(node.elt)

    def _walrus(self, node: ast.NamedExpr) -> Refs:
        refs = self.see(node.value)
        self.bind(node.target, refs, node.value)
        return refs

    def _call(self, node: ast.Call) -> Refs:
        func = node.func
        if isinstance(func, ast.Name):
            name = func.id
            if name in ("isinstance", "print", "display", "type", "len", "hasattr"):
                for argument in node.args:
                    if isinstance(argument, ast.Call | ast.BinOp) and name != "isinstance":
                        self.see(argument)
                return ()
            defined = self.defined(name)
            if defined is not None and name not in self.names.aliases:
                self.called.add(name)
                return self._own(defined, node)
            carried = self.refs_of(name)
            if carried:
                return methods.applied(self, node, carried, self.arguments(node))
            return self._known(node, self.names.aliases.get(name, name))
        if isinstance(func, ast.Attribute):
            dotted = self.names.dotted(func)
            if dotted is not None and not self._shadowed(func):
                return self._known(node, dotted)
            if func.attr in ("from_pretrained", "from_preset") and self._unknown(func.value):
                return self._known(node, f"transformers.{base_name(func)}.{func.attr}")
            if (
                (func.attr in MODELS or func.attr in TRANSFORMERS)
                and func.attr[:1].isupper()
                and self._unknown(func.value)
            ):
                return self._known(node, func.attr)
            return methods.method(self, node, func)
        if isinstance(func, ast.Call) and (full := self._got(func)):
            return self._known(node, full)
        carried = self.see(func)
        arguments = self.arguments(node)
        if carried:
            return methods.applied(self, node, carried, arguments)
        return merged(carried, arguments)

    def _unknown(self, node: ast.expr) -> bool:
        """Whether a name is bound by nothing that can be seen; its import may be missing."""
        if not isinstance(node, ast.Name) or node.id in self.names.aliases:
            return False
        return not self.refs_of(node.id) and self.lookup(node.id) is None and self.defined(node.id) is None

    def _got(self, func: ast.Call) -> str | None:
        """The full name that `getattr(module, "name")` gives."""
        if getattr(func.func, "id", "") != "getattr" or len(func.args) < 2:
            return None
        module, name = self.names.dotted(func.args[0]), self.constant(func.args[1])
        if isinstance(func.args[0], ast.Name):
            module = self.names.aliases.get(func.args[0].id)
        if module is None or not isinstance(name, str):
            return None
        return f"{module}.{name.replace('{}', '')}"

    def _shadowed(self, func: ast.Attribute) -> bool:
        base = base_name(func)
        return (
            base is not None
            and base not in self.names.aliases
            and (bool(self.refs_of(base)) or self.lookup(base) is not None)
        )

    def _known(self, node: ast.Call, full: str) -> Refs:
        last = full.rsplit(".", 1)[-1]
        self.called.add(last)
        if "." in full:
            self.used.add(full.split(".", 1)[0])
        start = len(self.scope.layers)
        arguments = calls.arguments_of(self, node, last)
        methods.hand_over(self, node, arguments)
        return calls.known(self, node, full, last, arguments, start)

    def arguments(self, node: ast.Call) -> Refs:
        """What all arguments carry, in order."""
        found: Refs = ()
        for argument in node.args:
            if not isinstance(argument, ast.Constant) and (refs := self.see(argument)):
                found = merged(found, refs)
        for keyword in node.keywords:
            if not isinstance(keyword.value, ast.Constant) and (refs := self.see(keyword.value)):
                found = merged(found, refs)
        return found
