"""Functions and classes of the code: read when they are first used, with what is passed to them."""

import ast
from collections.abc import Iterable

from linguacodus_core.extraction import networks
from linguacodus_core.extraction.constants import value_of
from linguacodus_core.extraction.networkcatalog import NETWORK_BASES
from linguacodus_core.extraction.reading import Reading
from linguacodus_core.extraction.scopes import Class, Function, Refs, Scope, Thing, merged

_DEEPEST = 25


class Definitions(Reading):
    """What is defined in the code, and how it is entered."""

    def _own(self, defined: Function | Class, node: ast.Call) -> Refs:
        if isinstance(defined, Class):
            arguments = self.arguments(node)
            mine = self.enter_class(defined)
            if defined.network >= 0 and self.inside_network():
                self.things[defined.network].inner = True
            starter = defined.methods.get("__init__")
            if starter is not None:
                positional = [self.see(argument) for argument in node.args]
                self.passed(starter, positional, {k.arg: self.see(k.value) for k in node.keywords})
            return merged(mine, arguments)
        positional = [self.see(argument) for argument in node.args]
        named = {keyword.arg: self.see(keyword.value) for keyword in node.keywords}
        self.enter(defined, node.args, {k.arg: k.value for k in node.keywords if k.arg})
        return self.passed(defined, positional, named)

    def passed(self, function: Function, positional: list[Refs], named: dict[str | None, Refs]) -> Refs:
        """What a call of that function returns, with what it was given in place of its parameters."""
        given: dict[int, Refs] = {}
        order = [number for name, number in function.parameters.items() if name not in ("self", "cls")]
        for number, refs in zip(order, positional, strict=False):
            given[number] = refs
        for name, refs in named.items():
            if name is not None and name in function.parameters:
                given[function.parameters[name]] = refs
        for number, refs in given.items():
            for ref in refs:
                self.things[number].bindings[ref] = None
        self.scope.layers.extend(function.layers)
        if function.fits:
            self.mark_folds()
        replaced = [given.get(ref, ()) if ref in order else (ref,) for ref in function.returns]
        return merged(*replaced)

    def enter(self, function: Function, positional: Iterable[ast.expr], named: dict[str, ast.expr]) -> None:
        """Read a function's body, once, with the constants that its first call passes."""
        if function.state != "new":
            return
        function.state = "running"
        spec = function.node.args
        scope = Scope(function.scope)
        arguments = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
        defaults = [*spec.posonlyargs, *spec.args][
            len(spec.posonlyargs) + len(spec.args) - len(spec.defaults) :
        ]
        for argument, default in zip(defaults, spec.defaults, strict=True):
            scope.nodes[argument.arg] = default
        for argument, kw_default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
            if kw_default is not None:
                scope.nodes[argument.arg] = kw_default
        skip = 1 if function.own and arguments and arguments[0].arg in ("self", "cls") else 0
        for argument, given in zip(arguments[skip:], positional, strict=False):
            self._pass_constant(scope, argument.arg, given)
        for name, given in named.items():
            self._pass_constant(scope, name, given)
        for argument in arguments[skip:]:
            number = self.add(Thing("parameter", argument.arg))
            function.parameters[argument.arg] = number
            scope.refs[argument.arg] = (number,)
        if self.depth > _DEEPEST:
            function.state = "done"
            return
        outer = self.scope, self._returned, self.adding, self.assigning, self.folds, self.loops
        named_before, self.function_name = self.function_name, function.node.name
        self.scope, self._returned, self.adding, self.assigning = scope, (), False, None
        if "tta" in function.node.name.lower().split("_"):
            self.note("tta", line=function.node.lineno)
        self.depth += 1
        fits_before = self.fit_count
        try:
            self.block(function.node.body)
        finally:
            function.fits = self.fit_count > fits_before
            self.depth -= 1
            function.returns, function.layers = self._returned, scope.layers
            self.scope, self._returned, self.adding, self.assigning, self.folds, self.loops = outer
            self.function_name = named_before
            function.state = "done"

    def _pass_constant(self, scope: Scope, name: str, given: ast.expr) -> None:
        known = value_of(given, self.lookup)
        if isinstance(known, bool | int | float | str):
            scope.nodes[name] = ast.Constant(known)
        elif isinstance(known, list) and all(isinstance(item, str) for item in known) and len(known) <= 60:
            scope.nodes[name] = ast.List([ast.Constant(item) for item in known])

    def enter_class(self, defined: Class) -> Refs:
        """Read a class's methods, once; what an instance carries."""
        if defined.state != "new":
            return defined.refs
        defined.state = "running"
        node = defined.node
        bases = [self.names.dotted(base) or getattr(base, "id", "") for base in node.bases]
        inherited = [
            parent for base in node.bases if isinstance(base, ast.Name) and (parent := self.defined(base.id))
        ]
        is_network = any(NETWORK_BASES.search(base) for base in bases) or any(
            isinstance(parent, Class) and (self.enter_class(parent) or True) and parent.network >= 0
            for parent in inherited
        )
        for base in node.bases:
            self.see(base)
        defined.instance = self.add(Thing("instance", node.name))
        self.instances[defined.instance] = defined
        if is_network:
            root = next((base.split(".", 1)[0] for base in bases if "." in base), "torch")
            defined.network = self.add(Thing("network", node.name, root, "", node.lineno))
            defined.refs = (defined.network,)
        outer = self.scope, self.adding, self.assigning, self.folds, self.loops
        self.scope, self.adding, self.assigning = defined.inner, False, None
        self.depth += 1
        try:
            if self.depth <= _DEEPEST:
                self._methods(defined)
        finally:
            self.depth -= 1
            self.scope, self.adding, self.assigning, self.folds, self.loops = outer
        carried = merged(*(refs for name, refs in defined.inner.refs.items() if name.startswith("self.")))
        carried = tuple(ref for ref in carried if self.things[ref].kind != "parameter")
        parents = merged(*(parent.refs for parent in inherited if isinstance(parent, Class)))
        if is_network:
            networks.close_class(self, defined, carried, parents)
        else:
            defined.refs = merged((defined.instance,), carried, parents)
        defined.state = "done"
        return defined.refs

    def _methods(self, defined: Class) -> None:
        inner = defined.inner
        methods_of = [s for s in defined.node.body if isinstance(s, ast.FunctionDef | ast.AsyncFunctionDef)]
        self.block(s for s in defined.node.body if not isinstance(s, ast.FunctionDef | ast.AsyncFunctionDef))
        found = {method.name: Function(method, inner, own=True) for method in methods_of}
        defined.methods = found
        for name, method in found.items():
            inner.defs[f"self.{name}"] = method
        for method in found.values():
            self.enter(method, (), {})
            if defined.network >= 0:
                inner.layers.extend(method.layers)
            returned = self.without_parameters(method.returns)
            if returned:
                inner.refs[f"self.{method.node.name}()"] = returned

    def _function(self, node: ast.FunctionDef) -> None:
        function = Function(node, self.scope)
        self.scope.defs[node.name] = function
        self.scope.refs.pop(node.name, None)
        self.functions.append(function)
        for decorator in node.decorator_list:
            self.see(decorator)

    def _class(self, node: ast.ClassDef) -> None:
        defined = Class(node, self.scope)
        defined.inner.parent = self.scope
        self.scope.defs[node.name] = defined
        self.classes.append(defined)
        for statement in node.body:
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                self.scope.nodes[f"{node.name}.{statement.targets[0].id}"] = statement.value
            elif (
                isinstance(statement, ast.AnnAssign)
                and isinstance(statement.target, ast.Name)
                and statement.value
            ):
                self.scope.nodes[f"{node.name}.{statement.target.id}"] = statement.value
