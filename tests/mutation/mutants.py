"""Mutants: small mistakes in a module, each at one place of its syntax tree."""

import ast
from collections.abc import Callable, Iterator
from typing import Any, Final

import attrs

COMPARED: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
COMPUTED: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
}
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@attrs.frozen(slots=True)
class Where:
    """A statement, without the statements in it.

    Attributes:
        first: First line.
        last: Last line; of a compound statement, of what stands before its body.
        scope: Names of the class and function around it, joined by dots.
        is_late: It runs when a function is called, not when the module is imported.
    """

    first: int
    last: int
    scope: str = ""
    is_late: bool = False


@attrs.frozen(slots=True)
class Mutant:
    """One mistake.

    Attributes:
        place: Number of the node, as the tree is walked.
        way: Which of the mistakes that can be made there.
        line: Where it stands, for people.
        where: The statement that holds it.
    """

    place: int
    way: int
    line: int
    text: str
    where: Where


def mutants_of(source: str) -> list[Mutant]:
    """Every mistake that can be made in what a module does; texts and annotations are no deeds."""
    tree = ast.parse(source)
    places, stands = _deeds(tree), _places_of(tree)
    return [
        Mutant(
            place,
            way,
            getattr(node, "lineno", 0),
            f"{_shown(node)} -> {_shown(changed)}",
            stands[id(node)],
        )
        for place, node in enumerate(ast.walk(tree))
        if id(node) in places
        for way, changed in enumerate(_changes(node))
    ]


def mutated(source: str, mutant: Mutant) -> ast.Module:
    """The module with the mistake in it."""
    tree = ast.parse(source)
    node = next(node for place, node in enumerate(ast.walk(tree)) if place == mutant.place)
    changed = next(each for way, each in enumerate(_changes(node)) if way == mutant.way)
    swapped: ast.Module = _Swap(node, changed).visit(tree)
    return ast.fix_missing_locations(swapped)


class _Swap(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old = old
        self._new = new

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self._old:
            return ast.copy_location(self._new, node)
        return self.generic_visit(node)


def _deeds(tree: ast.Module) -> set[int]:
    """What may be changed: all but annotations, decorators and the arguments of errors."""
    left_out: set[int] = set()
    for node in ast.walk(tree):
        aside: list[ast.AST | None] = []
        if isinstance(node, _Function):
            aside += [node.returns, *node.decorator_list]
            aside += [each.annotation for each in (*node.args.args, *node.args.kwonlyargs)]
        elif isinstance(node, ast.AnnAssign):
            aside.append(node.annotation)
        elif isinstance(node, ast.Raise):
            aside.append(node)
        for each in aside:
            if each is not None:
                left_out |= {id(below) for below in ast.walk(each)}
    return {id(node) for node in ast.walk(tree)} - left_out


def _places_of(tree: ast.Module) -> dict[int, Where]:
    """For every node, the statement it belongs to."""
    found: dict[int, Where] = {}

    def visit(node: ast.AST, at: Where) -> None:
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", ())
            last = max(node.lineno, body[0].lineno - 1) if body else node.end_lineno
            at = attrs.evolve(at, first=node.lineno, last=last or node.lineno)
        found[id(node)] = at
        inner = at
        if isinstance(node, _Function | ast.ClassDef):
            scope = f"{at.scope}.{node.name}".lstrip(".")
            inner = Where(at.first, at.last, scope, at.is_late or isinstance(node, _Function))
        bodies = {id(each) for each in getattr(node, "body", ())} if inner is not at else set()
        for below in ast.iter_child_nodes(node):
            visit(below, inner if id(below) in bodies else at)

    visit(tree, Where(1, 1))
    return found


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    make = _MISTAKES.get(type(node))
    return iter(()) if make is None else make(node)


def _compares(node: ast.Compare) -> Iterator[ast.AST]:
    if len(node.ops) == 1:
        for other in COMPARED[type(node.ops[0])]:
            yield ast.Compare(node.left, [other()], node.comparators)


def _joins(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    for at in range(len(node.values)):
        rest = node.values[:at] + node.values[at + 1 :]
        yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _turns(node: ast.UnaryOp) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.Not | ast.USub):
        yield node.operand


def _computes(node: ast.BinOp) -> Iterator[ast.AST]:
    if type(node.op) in COMPUTED:
        yield ast.BinOp(node.left, COMPUTED[type(node.op)](), node.right)


def _adds(node: ast.AugAssign) -> Iterator[ast.AST]:
    if type(node.op) in COMPUTED:
        yield ast.AugAssign(node.target, COMPUTED[type(node.op)](), node.value)


def _is_constant(node: ast.Constant) -> Iterator[ast.AST]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield ast.Constant(node.value + 1)


def _chooses(node: ast.IfExp) -> Iterator[ast.AST]:
    yield node.body
    yield node.orelse


def _asks(node: ast.If) -> Iterator[ast.AST]:
    for known in (False, True):
        yield ast.If(ast.Constant(known), node.body, node.orelse)


def _calls(node: ast.Expr) -> Iterator[ast.AST]:
    if isinstance(node.value, ast.Call):
        yield ast.Pass()


def _returns(node: ast.Return) -> Iterator[ast.AST]:
    if not _is_nothing(node.value):
        yield ast.Return(ast.Constant(None))


def _is_nothing(value: ast.expr | None) -> bool:
    """None, or the False that whoever asks cannot tell from it."""
    return value is None or (
        isinstance(value, ast.Constant) and (value.value is None or value.value is False)
    )


def _shown(node: ast.AST) -> str:
    text = ast.unparse(ast.fix_missing_locations(node)).partition("\n")[0]
    return text if len(text) <= 70 else f"{text[:67]}..."


_MISTAKES: Final[dict[type, Callable[[Any], Iterator[ast.AST]]]] = {
    ast.Compare: _compares,
    ast.BoolOp: _joins,
    ast.UnaryOp: _turns,
    ast.BinOp: _computes,
    ast.AugAssign: _adds,
    ast.Constant: _is_constant,
    ast.IfExp: _chooses,
    ast.If: _asks,
    ast.Expr: _calls,
    ast.Return: _returns,
}
