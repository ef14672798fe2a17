"""The lint of everything that is simulated: clocks, chance and threads come in through ports."""

import ast
from collections.abc import Iterator
from typing import Final

from tests.architecture.purity import _imported, _origin

BANNED: Final = {
    "time.time": "reads the clock",
    "time.time_ns": "reads the clock",
    "time.monotonic": "reads the clock",
    "time.monotonic_ns": "reads the clock",
    "time.perf_counter": "reads the clock",
    "time.sleep": "stops everything",
    "datetime.datetime.now": "reads the clock",
    "datetime.datetime.utcnow": "reads the clock",
    "datetime.datetime.today": "reads the clock",
    "datetime.date.today": "reads the clock",
    "uuid.uuid1": "reads the clock",
    "uuid.uuid4": "is random",
    "os.urandom": "is random",
    "asyncio.to_thread": "starts a thread",
    "concurrent.futures.ThreadPoolExecutor": "starts threads",
    "threading.Thread": "starts a thread",
}
BANNED_MODULES: Final = {"secrets": "is random", "random": "is random"}
BANNED_METHODS: Final = {"run_in_executor": "starts a thread"}


def uncontrolled(source: str) -> list[str]:
    """Tell every use of a real clock, of chance or of a thread as `line: what and why`."""
    tree = ast.parse(source)
    origins = dict(_imported(tree))
    found = (
        (node.lineno, text)
        for node in ast.walk(tree)
        if isinstance(node, ast.expr)
        for text in _bad(node, origins)
    )
    return [f"{line}: {text}" for line, text in sorted(set(found))]


def _bad(node: ast.expr, origins: dict[str, str]) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Attribute(attr=name)) if name in BANNED_METHODS:
            yield f".{name}() {BANNED_METHODS[name]}"
        case ast.Name(ctx=ast.Load()) | ast.Attribute(ctx=ast.Load()):
            origin = _origin(node, origins)
            if origin in BANNED:
                yield f"{origin} {BANNED[origin]}"
            module, _, name = origin.partition(".")
            if module in BANNED_MODULES and name and origin != "random.Random":
                yield f"{origin} {BANNED_MODULES[module]}"
