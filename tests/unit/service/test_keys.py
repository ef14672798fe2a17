"""Keys and limits of the API, by clocks of the test's own."""

import hmac
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from order_service.http.keys import ALL, KeyRing, KeysInvalid, Scope, digest_of, make_key, read_keys
from order_service.http.limits import RateLimits

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.wall, self.seconds = NOW, 0.0

    def pass_(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.seconds += seconds


def ring(clock: Clock, file: Path | None = None) -> KeyRing:
    return KeyRing("own", file, now=lambda: clock.wall, monotonic=lambda: clock.seconds)


def test_the_key_of_the_settings_may_do_everything() -> None:
    found = ring(Clock()).find(b"own")

    assert found is not None
    assert found.scopes == ALL


@pytest.mark.parametrize("given", [b"", b"OWN", b"own ", "schlüssel".encode(), b"\xff\xfe"])
def test_anything_else_is_no_key(given: bytes) -> None:
    assert ring(Clock()).find(given) is None


def test_k1_every_key_is_compared_in_constant_time_whatever_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []

    def counting(one: bytes, other: bytes) -> bool:
        compared[-1] += 1
        assert len(one) == len(other) == 32
        return hmac.compare_digest(one, other)

    file = tmp_path / "keys"
    made = [make_key(name, [Scope.READ], None) for name in ("a", "b", "c")]
    file.write_text("\n".join(line for _, line in made))
    keys = ring(Clock(), file)
    monkeypatch.setattr("order_service.http.keys.secrets.compare_digest", counting)
    right = (key.encode() for key, _ in made)
    for given in (b"own", *right, b"", "kéy".encode(), b"x" * 999):
        compared.append(0)
        keys.find(given)

    assert compared == [4] * 7


def test_a_made_key_is_let_in_with_its_scopes_and_is_not_kept(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    key, line = make_key("desk", [Scope.READ, Scope.CANCEL], None)
    file.write_text(line)
    found = ring(Clock(), file).find(key.encode())

    assert found is not None
    assert (found.id, found.scopes) == ("desk", {Scope.READ, Scope.CANCEL})
    assert key not in line
    assert digest_of(key.encode()).hex() in line


def test_two_keys_live_at_once_and_an_expired_one_does_not(tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "keys"
    old, old_line = make_key("old", [Scope.READ], NOW + timedelta(hours=1))
    new, new_line = make_key("new", [Scope.READ], None)
    file.write_text(f"{old_line}\n\n{new_line}\n")
    keys = ring(clock, file)
    both = [keys.find(each.encode()) is not None for each in (old, new)]
    clock.pass_(3600)
    later = [keys.find(each.encode()) is not None for each in (old, new)]

    assert both == [True, True]
    assert later == [False, True]


def test_a_revoked_key_is_out_within_a_second(tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "keys"
    key, line = make_key("desk", [Scope.READ], None)
    file.write_text(line)
    keys = ring(clock, file)
    file.write_text("")
    clock.pass_(1.0)

    assert keys.find(key.encode()) is None


def test_a_file_that_breaks_later_lets_nobody_of_it_in(tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "keys"
    key, line = make_key("desk", [Scope.READ], None)
    file.write_text(line)
    keys = ring(clock, file)
    file.write_text("{")
    clock.pass_(1.0)

    assert keys.find(key.encode()) is None
    assert keys.find(b"own") is not None


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"id": "a"}',
        '{"id": "a", "sha256": "zz", "scopes": []}',
        '{"id": "a", "sha256": "00", "scopes": []}',
        '{"id": "a b", "sha256": "%s", "scopes": []}' % ("0" * 64),
        '{"id": "a", "sha256": "%s", "scopes": ["fly"]}' % ("0" * 64),
        '{"id": "a", "sha256": "%s", "scopes": [], "expires_at": "2026-01-01"}' % ("0" * 64),
        '{"id": "default", "sha256": "%s", "scopes": []}' % ("0" * 64),
    ],
)
def test_a_file_of_keys_that_cannot_be_used_names_its_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys"
    file.write_text(f"\n{text}\n")
    with pytest.raises(KeysInvalid) as caught:
        read_keys(file)

    assert caught.value.details["line"] == 2


def test_a_missing_file_of_keys_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeysInvalid):
        read_keys(tmp_path / "none")


def test_a_key_may_ask_twice_its_rate_at_once_and_then_its_rate() -> None:
    clock = Clock()
    limits = RateLimits(5, lambda: clock.seconds)
    first = sum(limits.may_ask("a") for _ in range(20))
    clock.pass_(1)
    then = sum(limits.may_ask("a") for _ in range(20))

    assert (first, then) == (10, 5)
    assert limits.may_ask("b")


def test_an_address_that_guesses_is_held_back_and_another_is_not() -> None:
    clock = Clock()
    limits = RateLimits(5, lambda: clock.seconds)
    first = sum(limits.may_guess("1.2.3.4") for _ in range(30))
    clock.pass_(20)
    then = sum(limits.may_guess("1.2.3.4") for _ in range(30))

    assert (first, then) == (20, 2)
    assert limits.may_guess("5.6.7.8")
