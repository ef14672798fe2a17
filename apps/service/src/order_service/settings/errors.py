"""SettingsError: what is wrong with the environment, by variable, rule and value."""

import re
from collections.abc import Iterable, Mapping

import attrs
from pydantic import ValidationError

from order_domain.errors import OrderManagerError

_MASK = "***"
_DECIMAL = re.compile(r"Decimal\('(.*?)'\)")


@attrs.frozen(slots=True)
class Problem:
    """One variable that cannot be used. `value` is masked for secrets."""

    variable: str
    rule: str
    value: str = ""

    def __str__(self) -> str:
        """One line for a person."""
        got = f", got {self.value!r}" if self.value else ""
        return f"{self.variable}: {self.rule}{got}"


class SettingsError(OrderManagerError):
    """The settings cannot be used. Details: one entry per variable."""

    code = "SETTINGS_INVALID"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(**{each.variable: each.rule for each in self.problems})

    def __str__(self) -> str:
        """One line per problem."""
        return "\n".join(str(each) for each in self.problems)


def problems_of(
    error: ValidationError, given: Mapping[str, str], secrets: frozenset[str]
) -> list[Problem]:
    """Say pydantic's findings by variable; what stands in a secret never shows."""
    found: list[Problem] = []
    for entry in error.errors(include_url=False, include_context=False):
        variable = "_".join(str(part) for part in entry["loc"][:2]).upper()
        rule = _DECIMAL.sub(r"\1", entry["msg"].removeprefix("Value error, "))
        rule = rule.replace("Input should be", "must be").replace("String should", "must")
        if not rule.startswith(("must", variable)) and len(entry["loc"]) > 1:
            rule = f"must be {rule}"
        if len(entry["loc"]) == 1:
            # a rule between variables names them itself
            found += [Problem(*_named(variable, part)) for part in rule.split("; ")]
        else:
            shown = _MASK if variable in secrets else given.get(variable, "")
            found.append(Problem(variable, rule, shown))
    return found


def _named(group: str, text: str) -> tuple[str, str]:
    name, _, rule = text.partition(" ")
    return f"{group}_{name}", rule
