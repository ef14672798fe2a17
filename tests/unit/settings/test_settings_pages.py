"""The user's page, the example file and the code name the same variables with the same defaults."""

import re
from pathlib import Path

import pytest

from order_service.settings import Settings, variables
from order_service.settings.pages import SPECIFIED, env_example, reference
from order_service.settings.values import write
from scripts.generate_docs import ROOT

EXAMPLES = {"ORDERMANAGER_API_KEY", "WS_GATEWAY_API_KEY"}


def test_every_variable_stands_once_in_the_example_and_in_the_reference() -> None:
    in_example = re.findall(r"^#?([A-Z][A-Z_]+)=", env_example(), re.MULTILINE)
    in_reference = re.findall(r"^\| `([A-Z_]+)` \|", reference(), re.MULTILINE)

    assert sorted(in_example) == sorted(variables())
    assert sorted(in_reference) == sorted(variables())


def test_every_variable_says_what_it_is() -> None:
    for group, field in variables().values():
        docs = type(getattr(Settings.from_environment({}), group)).model_fields[field].description

        assert docs, f"{group}.{field}"
        assert docs.strip().endswith("."), f"{group}.{field}"


@pytest.mark.parametrize("name", sorted(set(SPECIFIED) - EXAMPLES))
def test_the_default_is_the_one_the_user_printed(name: str) -> None:
    group, field = variables()[name]
    printed = Settings.from_environment({name: SPECIFIED[name]})

    assert printed == Settings.from_environment({})
    assert write(getattr(getattr(printed, group), field)) != ""


def test_the_example_file_is_accepted_as_it_is() -> None:
    settings = Settings.from_environment({}, ROOT / "env.example")

    assert (
        settings.ordermanager
        == Settings.from_environment(
            {"ORDERMANAGER_API_KEY": SPECIFIED["ORDERMANAGER_API_KEY"]}
        ).ordermanager
    )


def test_commented_defaults_are_accepted_and_change_nothing(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(re.sub(r"^#(?=[A-Z])", "", env_example(), flags=re.MULTILINE), encoding="utf-8")

    assert Settings.from_environment({}, file) == Settings.from_environment(
        {}, ROOT / "env.example"
    )
