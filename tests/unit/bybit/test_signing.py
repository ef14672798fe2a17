"""Signatures of known texts, and what may not be a credential; where each environment listens."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_adapters.venues.bybit.hosts import HOSTS, custom_hosts
from order_adapters.venues.bybit.signing import (
    Credentials,
    RequestSigner,
    sign,
    signer_of,
    socket_auth,
)
from order_domain.errors import InvalidValue
from order_domain.model.enums import Category
from order_domain.model.identifiers import ENVIRONMENT

CREDENTIALS = Credentials("TESTKEY0000000001", "TESTSECRET000000000000000000000000001")
MS = 1_700_000_000_000


@pytest.mark.parametrize(
    ("payload", "signature"),
    [
        (
            b"category=linear&symbol=BTCUSDT",
            "845b10e6fde3475acb2015d0cfa8c922f8e77d9b50dd654ac304ae19c72d018e",
        ),
        (b"", "069d53c90fca2a7eefd2a5d0527fcfaefff7dbd435a8504db95473546410222c"),
        (
            b"category=linear&cursor=a%3A1%2Cb%3A2&limit=50",
            "2001b40a8b18348c748e446fa235dc5e86d1d8924d0ec7b2cbf0d4acec0cca7b",
        ),
        (
            b'{"category":"linear","symbol":"BTCUSDT","orderLinkId":"om-1"}',
            "6cd6d262e2fcec62062b2ab427b2f6ecbb3f88757f233cad064d8efe65eb86d0",
        ),
    ],
)
def test_a_rest_request_is_signed_over_the_bytes_that_leave(payload: bytes, signature: str) -> None:
    assert RequestSigner(CREDENTIALS, 5000).headers(MS, payload) == {
        "X-BAPI-API-KEY": "TESTKEY0000000001",
        "X-BAPI-TIMESTAMP": "1700000000000",
        "X-BAPI-RECV-WINDOW": "5000",
        "X-BAPI-SIGN": signature,
    }


def test_a_socket_is_authenticated_by_its_own_text() -> None:
    assert socket_auth(CREDENTIALS, MS + 1000) == [
        "TESTKEY0000000001",
        MS + 1000,
        "86971c3bdb5b2ae4a5f85fb2065454aa5b92b3b312cd1e3122d1a92fa76e0465",
    ]


SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)


@given(secret=SECRETS, text=st.binary())
def test_a_signature_is_the_hmac_of_any_bytes_under_any_secret(secret: str, text: bytes) -> None:
    signature = sign(Credentials("key", secret), text)

    assert signature == hmac.new(secret.encode(), text, "sha256").hexdigest()


def test_one_signature_leaves_nothing_behind_for_the_next() -> None:
    signer = signer_of(CREDENTIALS)

    assert [signer(text) for text in (b"a", b"b", b"a")] == [
        sign(CREDENTIALS, text) for text in (b"a", b"b", b"a")
    ]


def test_no_text_of_credentials_shows_the_secret() -> None:
    assert CREDENTIALS.secret not in repr(CREDENTIALS)
    assert CREDENTIALS.secret not in str(CREDENTIALS)


@pytest.mark.parametrize("bad", ["", "with space", "line\nbreak", "ключ", "tab\t"])
def test_a_credential_that_no_header_takes_is_refused_without_being_told(bad: str) -> None:
    for make in (lambda: Credentials(bad, "secret"), lambda: Credentials("key", bad)):
        with pytest.raises(InvalidValue) as raised:
            make()
        assert raised.value.details["value"] == "(hidden)"
        if bad:
            assert bad not in str(raised.value)


def test_hosts_are_those_of_the_documentation() -> None:
    mainnet, testnet, demo = HOSTS["mainnet"], HOSTS["testnet"], HOSTS["demo"]
    assert mainnet.rest == "https://api.bybit.com"
    assert mainnet.public_of(Category.LINEAR) == "wss://stream.bybit.com/v5/public/linear"
    assert mainnet.private == "wss://stream.bybit.com/v5/private"
    assert mainnet.trade == "wss://stream.bybit.com/v5/trade"
    assert testnet.rest == "https://api-testnet.bybit.com"
    assert testnet.public_of(Category.SPOT) == "wss://stream-testnet.bybit.com/v5/public/spot"
    assert testnet.private == "wss://stream-testnet.bybit.com/v5/private"
    assert testnet.trade == "wss://stream-testnet.bybit.com/v5/trade"
    assert demo.rest == "https://api-demo.bybit.com"
    assert demo.public_of(Category.INVERSE) == "wss://stream.bybit.com/v5/public/inverse"
    assert demo.private == "wss://stream-demo.bybit.com/v5/private"
    assert demo.trade is None


def test_a_site_of_ones_own_has_all_paths_below_two_hosts() -> None:
    hosts = custom_hosts("http://127.0.0.1:8080/", "ws://127.0.0.1:8081")
    assert hosts.rest == "http://127.0.0.1:8080"
    assert hosts.public_of(Category.SPOT) == "ws://127.0.0.1:8081/v5/public/spot"
    assert hosts.private == "ws://127.0.0.1:8081/v5/private"
    assert hosts.trade == "ws://127.0.0.1:8081/v5/trade"
    assert custom_hosts("https://a.b", "wss://a.b", trades_by_socket=False).trade is None


@pytest.mark.parametrize(
    ("rest", "stream"),
    [
        ("api.bybit.com", "wss://stream.bybit.com"),
        ("https://", "wss://stream.bybit.com"),
        ("ftp://api.bybit.com", "wss://stream.bybit.com"),
        ("https://api.bybit.com/v5", "wss://stream.bybit.com"),
        ("https://api.bybit.com?x=1", "wss://stream.bybit.com"),
        ("https://user:word@api.bybit.com", "wss://stream.bybit.com"),
        ("https://api.bybit.com:99999", "wss://stream.bybit.com"),
        ("https://[api", "wss://stream.bybit.com"),
        ("https://api.bybit.com", "https://stream.bybit.com"),
    ],
)
def test_what_is_no_host_is_refused(rest: str, stream: str) -> None:
    with pytest.raises(InvalidValue):
        custom_hosts(rest, stream)


def test_every_environment_has_a_letter_in_client_order_ids() -> None:
    assert {*HOSTS, "custom"} <= set(ENVIRONMENT)
