"""The lint of pure code: no clock, randomness, environment, float or memory address."""

import ast
from collections.abc import Iterator
from typing import Final

# What pure code may import. Whoever adds a module says why it reads nothing but its arguments.
PURE_IMPORTS: Final = frozenset(
    {
        "__future__",
        "abc",
        "attr",
        "attrs",
        "base64",
        "binascii",
        "bisect",
        "collections",
        "contextlib",
        "copy",
        "datetime",  # its clocks are banned below
        "decimal",
        "enum",
        "functools",
        "hashlib",
        "heapq",
        "itertools",
        "json",
        "operator",
        "order_domain",
        "re",
        "string",
        "sys",  # for intern(); the import contracts keep it out of the domain
        "textwrap",
        "types",
        "typing",
        "uuid",  # for UUID and uuid5; its random ones are banned below
    }
)

BANNED_ORIGINS: Final = {
    "datetime.date.today": "reads the clock",
    "datetime.datetime.now": "reads the clock",
    "datetime.datetime.today": "reads the clock",
    "datetime.datetime.utcnow": "reads the clock",
    "decimal.Decimal.from_float": "is a float",
    "hashlib.file_digest": "reads a file",
    "sys.argv": "reads the environment",
    "sys.flags": "reads the environment",
    "sys.platform": "reads the environment",
    "sys.stderr": "does I/O",
    "sys.stdin": "does I/O",
    "sys.stdout": "does I/O",
    "uuid.getnode": "reads the environment",
    "uuid.uuid1": "reads the clock",
    "uuid.uuid4": "is random",
}

# Whatever they are called on: a variable that holds a class or a value hides its origin.
BANNED_METHODS: Final = {
    "from_float": "is a float",
    "now": "reads the clock",
    "timestamp": "is a float",
    "today": "reads the clock",
    "total_seconds": "is a float",
    "utcnow": "reads the clock",
}

BANNED_BUILTINS: Final = {
    "__import__": "hides an import",
    "breakpoint": "does I/O",
    "eval": "hides what runs",
    "exec": "hides what runs",
    "hash": "differs from process to process",
    "id": "is a memory address",
    "input": "does I/O",
    "open": "does I/O",
    "print": "does I/O",
}


def violations(source: str, *, seeded: bool = False) -> list[str]:
    """Tell every impurity as `line: what and why`.

    Args:
        source: Python source text.
        seeded: Whether this module may own the seeded generator, `random.Random(seed)`.
    """
    tree = ast.parse(source)
    origins = dict(_imported(tree))
    excused = _excused(tree)
    found = [
        *_bad_imports(tree, seeded=seeded),
        *(
            (node.lineno, text)
            for node in ast.walk(tree)
            if isinstance(node, ast.expr) and node not in excused
            for text in _bad_expression(node, origins)
        ),
    ]
    return [f"{line}: {text}" for line, text in sorted(set(found))]


def _imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield each local name that an import binds, with its dotted origin."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname or alias.name.partition(".")[0], alias.name)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield (alias.asname or alias.name, f"{node.module}.{alias.name}")


def _bad_imports(tree: ast.AST, *, seeded: bool) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or "."]
        else:
            continue
        for module in modules:
            top = module.partition(".")[0]
            if _is_simulator(module):
                continue
            if top not in PURE_IMPORTS and not (seeded and top == "random"):
                yield node.lineno, f"import of {module} is not pure"


def _is_simulator(module: str) -> bool:
    """Its modules may import each other: they all pass this lint."""
    return f"{module}.".startswith("order_adapters.simulator.")


def _excused(tree: ast.AST) -> set[ast.AST]:
    """The names in annotations and behind `isinstance(value,`: they make no float."""
    return {name for node in ast.walk(tree) for place in _types(node) for name in ast.walk(place)}


def _types(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.arg(annotation=ast.expr() as annotation) | ast.AnnAssign(annotation=annotation):
            yield annotation
        case ast.FunctionDef(returns=ast.expr() as annotation):
            yield annotation
        case ast.AsyncFunctionDef(returns=ast.expr() as annotation):
            yield annotation
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, kind]):
            yield kind


def _bad_expression(node: ast.expr, origins: dict[str, str]) -> Iterator[str]:
    match node:
        case ast.Constant(value=float() | complex()):
            yield f"literal {node.value!r} is a float"
        case ast.Name(id="float", ctx=ast.Load()):
            yield "float is a float"
        case ast.Call():
            yield from _bad_call(node, origins)
        case ast.Name(ctx=ast.Load()) | ast.Attribute(ctx=ast.Load()):
            origin = _origin(node, origins)
            if origin in BANNED_ORIGINS:
                yield f"{origin} {BANNED_ORIGINS[origin]}"
            elif origin.startswith("random.") and origin != "random.Random":
                yield f"{origin} is random"


def _bad_call(node: ast.Call, origins: dict[str, str]) -> Iterator[str]:
    match node.func:
        case ast.Name(id=name) if name in BANNED_BUILTINS and name not in origins:
            yield f"{name}() {BANNED_BUILTINS[name]}"
        case ast.Attribute(attr=name) if name in BANNED_METHODS:
            yield f".{name}() {BANNED_METHODS[name]}"
    if _origin(node.func, origins) == "random.Random" and not node.args:
        yield "random.Random() without a seed is random"


def _origin(node: ast.expr, origins: dict[str, str]) -> str:
    """Dotted origin of a name or of an attribute of an imported name; empty for anything else."""
    match node:
        case ast.Name(id=name):
            return origins.get(name, "")
        case ast.Attribute(value=value, attr=attribute):
            owner = _origin(value, origins)
            return f"{owner}.{attribute}" if owner else ""
    return ""
