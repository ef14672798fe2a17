"""The lint of set order, which changes from process to process: nothing may depend on it."""

import ast
from collections.abc import Iterator
from typing import Final

SET_TYPES: Final = frozenset({"AbstractSet", "MutableSet", "Set", "frozenset", "set"})
SET_METHODS: Final = frozenset({"difference", "intersection", "symmetric_difference", "union"})
SET_OPERATORS: Final = (ast.BitAnd, ast.BitOr, ast.BitXor, ast.Sub)

# Calls whose result keeps the order of what they are given.
ORDERED_CALLS: Final = frozenset(
    {"deque", "enumerate", "filter", "iter", "list", "map", "next", "tuple", "zip"}
)
ORDERED_METHODS: Final = frozenset({"extend", "extendleft", "fromkeys", "join"})
# Calls that give the same answer in any order; a generator may feed them from a set.
ORDER_FREE_CALLS: Final = frozenset({"all", "any", "frozenset", "len", "set", "sorted"})


def order_hazards(source: str) -> list[str]:
    """Tell every place where the order of a set could show, as `line: what`."""
    tree = ast.parse(source)
    known = _Sets(tree)
    order_free = _order_free_generators(tree)
    found = {
        node.lineno
        for node in ast.walk(tree)
        for walked in _walked_in_order(node, order_free)
        if known.holds(walked)
    } | {node.lineno for node in ast.walk(tree) if _takes_any(node, known)}
    return [f"{line}: depends on the order of a set; sort it" for line in sorted(found)]


class _Sets:
    """Which expressions of a module are sets: by form, or by the name's value or annotation."""

    def __init__(self, tree: ast.AST) -> None:
        self._names: set[str] = set()
        for node in ast.walk(tree):
            match node:
                case ast.AnnAssign(target=target, annotation=annotation) if _is_set_type(
                    annotation
                ):
                    self._names.add(_last_name(target))
                case ast.arg(arg=name, annotation=ast.expr() as annotation):
                    if _is_set_type(annotation):
                        self._names.add(name)
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Assign | ast.AnnAssign)
                and node.value
                and self.holds(node.value)
            ):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                self._names.update(_last_name(target) for target in targets)
        self._names.discard("")

    def holds(self, node: ast.expr) -> bool:
        match node:
            case ast.Set() | ast.SetComp():
                return True
            case ast.Name() | ast.Attribute():
                return _last_name(node) in self._names
            case ast.Call(func=ast.Name(id="set" | "frozenset")):
                return True
            case ast.Call(func=ast.Attribute(value=value, attr=method)) if method in SET_METHODS:
                return self.holds(value) or _is_keys(value)
            case ast.BinOp(left=left, op=operator, right=right) if isinstance(
                operator, SET_OPERATORS
            ):
                return any(self.holds(side) or _is_keys(side) for side in (left, right))
            case ast.IfExp(body=body, orelse=other):
                return self.holds(body) or self.holds(other)
        return False


def _walked_in_order(node: ast.AST, order_free: set[ast.AST]) -> Iterator[ast.expr]:
    """Yield the expressions that this node walks in an order somebody could see."""
    match node:
        case ast.For(iter=walked) | ast.Starred(value=walked) | ast.YieldFrom(value=walked):
            yield walked
        case ast.ListComp() | ast.DictComp() | ast.GeneratorExp() if node not in order_free:
            yield from (generator.iter for generator in node.generators)
        case ast.Call(func=ast.Name(id=name), args=args) if name in ORDERED_CALLS:
            yield from args
        case ast.Call(func=ast.Attribute(attr=name), args=args) if name in ORDERED_METHODS:
            yield from args


def _takes_any(node: ast.AST, known: _Sets) -> bool:
    """`some_set.pop()` takes whichever comes first."""
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr="pop"), args=[]):
            return known.holds(value)
    return False


def _order_free_generators(tree: ast.AST) -> set[ast.AST]:
    return {
        argument
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id in ORDER_FREE_CALLS
        for argument in node.args
    }


def _is_set_type(annotation: ast.expr) -> bool:
    match annotation:
        case ast.Subscript(value=ast.Name(id="Final" | "ClassVar"), slice=inner):
            return _is_set_type(inner)
        case ast.Subscript(value=value):
            return _last_name(value) in SET_TYPES
        case ast.Name() | ast.Attribute():
            return _last_name(annotation) in SET_TYPES
    return False


def _is_keys(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr="keys" | "items"), args=[]):
            return True
    return False


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=name):
            return name
    return ""
