"""Every command says where it works, and on a running service it takes what it takes here."""

import inspect
from collections.abc import Mapping
from importlib import import_module

import pytest

from order_cli.commands import COMMANDS, LOCAL, ONLY_THERE, REMOTE

HERE = {entry.name: entry.target for entries in COMMANDS.values() for entry in entries}


def parameters(target: str) -> Mapping[str, inspect.Parameter]:
    module, _, name = target.partition(":")
    return inspect.signature(getattr(import_module(module), name)).parameters


def test_each_command_works_on_a_service_or_says_why_not() -> None:
    assert set(REMOTE) | set(LOCAL) == set(HERE)
    assert not set(REMOTE) & set(LOCAL)
    assert all(LOCAL.values())


def test_what_works_only_there_is_one_command_for_both() -> None:
    same = {name for name, target in REMOTE.items() if HERE[name] == target}

    assert same == set(ONLY_THERE)


@pytest.mark.parametrize("name", REMOTE)
def test_a_command_has_the_same_options_and_defaults_on_a_service(name: str) -> None:
    here, there = parameters(HERE[name]), parameters(REMOTE[name])
    without_store = {key: each for key, each in here.items() if key != "store"}

    assert {key: (each.kind, each.default) for key, each in there.items()} == {
        key: (each.kind, each.default) for key, each in without_store.items()
    }
