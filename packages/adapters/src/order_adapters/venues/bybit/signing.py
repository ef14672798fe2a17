"""Signing: over the exact bytes that leave, for REST and for the auth of a socket.

The exchange makes a key of one of two kinds: with a secret of its own (HMAC), or for a public key
of ours (RSA), whose private half is then the secret. The form of the secret tells which.
"""

import hmac
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Final

import attrs

from order_domain.errors import InvalidValue

KEY_HEADER: Final = "X-BAPI-API-KEY"
SIGN_HEADER: Final = "X-BAPI-SIGN"
TIMESTAMP_HEADER: Final = "X-BAPI-TIMESTAMP"
WINDOW_HEADER: Final = "X-BAPI-RECV-WINDOW"
_REALTIME: Final = "GET/realtime"
_PEM: Final = "-----BEGIN "
_RSA_BITS_MIN: Final = 2048
Sign = Callable[[bytes], str]


@attrs.frozen(slots=True)
class Credentials:
    """An API key and its secret. The secret shows in no repr.

    Attributes:
        secret: Of the exchange, or a private RSA key of ours as PEM without a passphrase.

    Raises:
        InvalidValue: One of them is empty or holds what no header takes, or the RSA key cannot be
            read; the value is not told.
    """

    key: str
    secret: str = attrs.field(repr=False)

    def __attrs_post_init__(self) -> None:
        for name, value in (("api_key", self.key), ("api_secret", self.secret)):
            if name == "api_secret" and self.is_rsa:
                _rsa_signer(value)
            elif not value or not value.isascii() or not value.isprintable() or " " in value:
                rule = "printable ASCII without spaces"
                raise InvalidValue(field=name, rule=rule, value="(hidden)")

    @property
    def is_rsa(self) -> bool:
        """Whether the secret is a private key of ours."""
        return self.secret.lstrip().startswith(_PEM)


def signer_of(credentials: Credentials) -> Sign:
    """Make what signs a text by these credentials; a key is prepared once, not for every text."""
    return (
        _rsa_signer(credentials.secret) if credentials.is_rsa else _hmac_signer(credentials.secret)
    )


def sign(credentials: Credentials, text: bytes) -> str:
    """Sign a text: hex of its HMAC-SHA256, or base64 of its RSA-SHA256 (PKCS#1 v1.5)."""
    return signer_of(credentials)(text)


def socket_auth(credentials: Credentials, expires_ms: int) -> list[str | int]:
    """Make the `args` of a socket's auth request: key, expiry, signature."""
    text = f"{_REALTIME}{expires_ms}".encode()
    return [credentials.key, expires_ms, sign(credentials, text)]


class RequestSigner:
    """Makes the headers of one attempt; another attempt needs a signature of its own.

    Args:
        recv_window_ms: How long after its stamp the exchange may still take a request.
    """

    def __init__(self, credentials: Credentials, recv_window_ms: int) -> None:
        self._sign = signer_of(credentials)
        self._fixed = {KEY_HEADER: credentials.key, WINDOW_HEADER: str(recv_window_ms)}
        self._between = f"{credentials.key}{recv_window_ms}"

    def headers(self, timestamp_ms: int, payload: bytes) -> dict[str, str]:
        """Sign.

        Args:
            timestamp_ms: The exchange's time as we know it, not ours.
            payload: GET: the query string as it goes on the wire, without `?`. POST: the body.
        """
        text = f"{timestamp_ms}{self._between}".encode() + payload
        stamp = str(timestamp_ms)
        return self._fixed | {TIMESTAMP_HEADER: stamp, SIGN_HEADER: self._sign(text)}


def _hmac_signer(secret: str) -> Sign:
    keyed = hmac.new(secret.encode(), digestmod=sha256)

    def sign_text(text: bytes) -> str:
        one = keyed.copy()
        one.update(text)
        return one.hexdigest()

    return sign_text


def _rsa_signer(pem: str) -> Sign:
    try:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
            load_pem_private_key,
        )
    except ImportError:
        raise _refused("the package cryptography, for an RSA key") from None
    try:
        key = load_pem_private_key(pem.strip().encode(), None)
    except (ValueError, TypeError):  # TypeError: it has a passphrase
        raise _refused("a private RSA key as PEM without a passphrase") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < _RSA_BITS_MIN:
        raise _refused(f"a private RSA key of at least {_RSA_BITS_MIN} bits")
    padding, digest = PKCS1v15(), SHA256()
    return lambda text: b64encode(key.sign(text, padding, digest)).decode()


def _refused(rule: str) -> InvalidValue:
    return InvalidValue(field="api_secret", rule=rule, value="(hidden)")
