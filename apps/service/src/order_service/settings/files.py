"""Files: secrets that stand in files of their own, as containers are given them."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote, quote_plus

from order_service.settings.errors import Problem

SUFFIX: Final = "_FILE"
LONGEST: Final = 4096


def secrets_of_files(
    environment: Mapping[str, str], secrets: Collection[str]
) -> tuple[dict[str, str], list[Problem]]:
    """Put the content of `NAME_FILE` in the place of `NAME`, for every secret.

    Returns:
        The variables without those of files, and what is wrong with the files.
    """
    merged, problems = dict(environment), list[Problem]()
    for name in sorted(secrets):
        path = merged.pop(name + SUFFIX, "").strip()
        if not path:
            continue
        if merged.get(name, "").strip():
            problems.append(Problem(name + SUFFIX, f"must not be set beside {name}", path))
            continue
        try:
            merged[name] = _read(Path(path))
        except (OSError, ValueError) as error:
            problems.append(Problem(name + SUFFIX, f"must name a readable file ({error})", path))
    return merged, problems


def _read(path: Path) -> str:
    if path.stat().st_size > LONGEST:
        raise ValueError(f"longer than {LONGEST} bytes")
    secret = path.read_text(encoding="utf-8").strip()
    if not secret:
        raise ValueError("empty")
    return secret


def spellings(secret: str) -> set[str]:
    """A secret as it may stand in a text: plain, in an address, in JSON, in a representation."""
    return {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
    }
