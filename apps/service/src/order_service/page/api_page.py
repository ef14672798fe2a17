"""API page: the OpenAPI document as one page to read, without a script and without a network."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

_METHODS: Final = ("get", "post", "put", "delete")
_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --dim: #888; --good: #16794f; --ask: #2457c5; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { margin-bottom: 0; } h2 { border-top: 1px solid var(--line); padding-top: 1rem; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { overflow-x: auto; padding: .7rem; border: 1px solid var(--line); border-radius: 6px; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; }
details { padding: .5rem .8rem; }
summary { cursor: pointer; } summary b { font-family: ui-monospace, monospace; }
.get { color: var(--good); } .post { color: var(--ask); } .dim { color: var(--dim); }
table { border-collapse: collapse; width: 100%; } td { border-top: 1px solid var(--line); }
td, th { text-align: left; padding: .25rem .6rem .25rem 0; vertical-align: top; }
"""


def api_page(document: Mapping[str, Any]) -> str:
    """Write the page of a document."""
    info = document["info"]
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width'>",
        f"<title>{escape(info['title'])} API</title><style>{_STYLE}</style>",
        f"<h1>{escape(info['title'])} API</h1><p>{escape(info.get('description', ''))}</p>",
        "<p class=dim>The machine-readable document: <a href=/schema/openapi.json>openapi.json</a>",
        " (OpenAPI 3.1).</p>",
        *_operations(document),
        "<h2>Shapes</h2>",
        *_shapes(document),
    ]
    return "".join(parts)


def _operations(document: Mapping[str, Any]) -> Iterator[str]:
    group = ""
    for path, operations in sorted(document["paths"].items()):
        first = path.removeprefix("/api/v1/").strip("/").split("/")[0]
        if first != group:
            group = first
            yield f"<h2>{escape(group)}</h2>"
        for method in _METHODS:
            if method in operations:
                yield _operation(path, method, operations[method])


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> str:
    text = operation.get("description") or operation.get("summary") or ""
    answers = ", ".join(sorted(operation["responses"]))
    parts = [
        f"<details><summary><b class={method}>{method.upper()}</b> <code>{escape(path)}</code> ",
        f"{escape(text)}</summary>",
    ]
    if operation.get("parameters"):
        parts.append("<table><tr><th>parameter<th>in<th>what</tr>")
        parts += [_parameter(each) for each in operation["parameters"]]
        parts.append("</table>")
    body = operation.get("requestBody")
    if body is not None:
        shape = _name(next(iter(body["content"].values())).get("schema", {}))
        parts.append(f"<p>Body: <a href='#{shape}'><code>{shape}</code></a></p>")
    parts.append(f"<p class=dim>Answers {escape(answers)}.</p></details>")
    return "".join(parts)


def _parameter(parameter: Mapping[str, Any]) -> str:
    name = escape(parameter["name"]) + ("" if parameter.get("required") else " <i>optional</i>")
    text = escape(parameter.get("description", "") or _rule(parameter.get("schema", {})))
    return f"<tr><td><code>{name}</code><td>{escape(parameter['in'])}<td>{text}</tr>"


def _shapes(document: Mapping[str, Any]) -> Iterator[str]:
    schemas = document.get("components", {}).get("schemas", {})
    for name, schema in sorted(schemas.items()):
        rows = "".join(
            f"<tr><td><code>{escape(field)}</code><td>{escape(_rule(rule))}</tr>"
            for field, rule in schema.get("properties", {}).items()
        )
        text = escape(schema.get("description", ""))
        yield f"<details id='{escape(name)}'><summary><b>{escape(name)}</b> {text}</summary>"
        yield f"<table>{rows}</table></details>"


def _rule(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return _name(schema)
    if "oneOf" in schema:
        return " or ".join(_rule(each) for each in schema["oneOf"])
    words = [str(schema.get("type", ""))]
    words += [str(schema[key]) for key in ("format", "pattern") if key in schema]
    if "enum" in schema:
        words.append("one of " + ", ".join(map(str, schema["enum"])))
    for key, sign in (("minimum", "≥"), ("maximum", "≤")):
        if key in schema:
            words.append(f"{sign} {schema[key]}")
    return " ".join(word for word in words if word)


def _name(schema: Mapping[str, Any]) -> str:
    return escape(str(schema.get("$ref", "")).rpartition("/")[2])
