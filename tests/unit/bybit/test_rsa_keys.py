"""RSA keys: signatures that OpenSSL made of the same texts, and what is no such key.

The key was made for these tests; it opens nothing.
"""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from order_adapters.venues.bybit.signing import Credentials, RequestSigner, sign, socket_auth
from order_domain.errors import InvalidValue

LABEL = "PRIVATE KEY"
PKCS_8 = f"""-----BEGIN {LABEL}-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCWWrVqO7ecqrI1
50Ojw+jbSP0ynNomBtpXMEqW+3GwLoAFfKYfNV4rL05+J92gMGMCCRpDu+Ie1ViK
50mtKl/ccibIS6FGX12EuyBIr3ynGU0kK4UKQ1zg62m9caTzkT/R0ka+ZYD3vQIX
MHiO0XO6VnaxmZA2ZhHbV73EQOepFV+fLy9qe4KtycRNTozQRozI8f1ou6zBINxc
VCc4b8ueJdXXBW98jw44fctEZluE8Vx50WH111FVfiQI5zuwOrNpooGkmYvYFZLa
KRK5qqTtrFxm8ZKwM23+5aQXgXla8kkNzoK93kMJCc4MVE9x2EJIxjYpaNsNzHBa
lSVwHkRlAgMBAAECggEAIEMVg1aOBw1vkPZvQqAigo8uWWJjwt4ckrHXh38rvWi0
6rh88txiOPT9LD/Eo/9N911Zp+gUVJZl2eRYIFKj4CsUXE0yLWYALJ90hXQ2VKqu
rVCzSuj6cH7DITXV9beYkJ7EtE0Wd9I0NSKe89JIuVadQG2ZjrqnIUA6BXcB3ntV
21SIb7C4ekY821RwcazKEtvAzs+gc0TjlD8h3oBDw5MfNRlc6VlnpBy8RciY+J+l
UuhVemPwMEMu+ovq570eewlZYxYQzuDlQBS26WCO1DXsIvzKfn3gH2vUp4I5H7AM
ZU+wwGAZtSFN+zAyeUFWyZvnM641IzrAlYBMFA2lvwKBgQDK8ymqLq6tETHy7gjL
Gu+w4kXTse7PgNzzF0i1+2C3ssVGIBIQiqGpk5fgUvf0pPuipdxKjV4FndBnk6b/
Y0vob2GRcfwkosVaaI3n2d3af23xoKJfuzXsSf2JEtuFFF15cqZkdu2J6/+md47O
sBJEJRwo84UWERuKUKIgb4IbpwKBgQC9qAAZiogQZy1iGKSYyrKtfHPmKlFXpDOV
p3s71VYt9r0k4LqEqSiMdPoncfmm8PztPICtFLnNQbUDeCgK77LCfc+pmiBN3A2i
qHTt3pSwo5+vq8cYBwiCWPdJY0b2BA8iW2A5JUrHav2qEhsY6RkyA4n/PLDT4SP9
kEE3HOLxEwKBgHNDWUV7T9+hJXIoOLxJpxoZ2LiblNsq/9HcRoJ8q3iJQrtKGZhl
c91gouBXntXGIdhFRPDeiyi7cZJx7GWdmo3/PDWjvCV+gIGRYg7s0LB4sROLPM0M
AVsaxrDkEeLqJxCDyfbDCLPNYhvESUof+6/SN8UWUV6wBqkulHXBfu5/AoGAFgi0
qkL799vk2+a9CLtT8u/ojy8PcD01eQeSO6tXbdOiuewZ/1ufyGG2xmppdMm+uNk0
oecshvpBS3vkOxEKFaqEO9IaOrF8LA+iNhiL8dGwtbohUVtP08T+Rdpw3hguofE3
xqvcejql6eJcn5JFSRg8Khkk+hjIE6d0zDBg9V0CgYEAk+fQtM7sVIMVYnUO+Mjh
FwUz9Ud1XSFrKfjL9j0TOxnd7Cyydx0j6yuafxGbn31FgTzqJcaj+RVILchI0O+Z
foG959R85y0prESeUjp60fQh6AT4izm+nl5YWdtlk5V9VUlaF5wI7LPDHFywwT+d
DdlXiH+e1bSx8UWoKUU/Ddw=
-----END {LABEL}-----
"""
KEY = load_pem_private_key(PKCS_8.encode(), None)
assert isinstance(KEY, rsa.RSAPrivateKey)
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
CREDENTIALS = Credentials("TESTKEY0000000001", PKCS_8)
MS = 1_700_000_000_000
OF_A_QUERY = (
    "BAWK1/fUOoolic+DjNdzul4U4rKGKaXQL7tcb+3q5yTtkqJaBXQDV9gZH9yTlOPsl89/v0+c4vwMVxhD"
    "gqScB53tBORlDTlHSuaGjDjVdxi8w+X9rlOveEr3D1Rib2KigJDun4A7Yu6ROJ9BWcQiolYxkC43vY3m"
    "bK8afir97wNFH14R9/UqQiI1MOFnULx0F6cRQrROHZuyp6O5BYMReFEHG9i0gvMAXPqpym8Whu3kLWr0"
    "mUMVar36JJPeUpufcBPTxP/mQUMPrdAoUW4iN49SeHVIL+B1OJlA6Dun4e5CAUdE1lXNJyjAKpOwMTqI"
    "EFcJlNmbSDQiPe7agve0eg=="
)
OF_NOTHING = (
    "LEvgFMUdSdrphVL65fVcywSVv7QmlZ0rPcS2C+5WwgtVaWO/u3mWvfdWNjcmql/yV6Sb/AxosB6qyKaQ"
    "UfwtTg5Q7kF+uokQY4SjuFAxmuxVd9fdaKEylnlAvqKHm6GiwRBllLKKbMf+lnuxu8OPwcFfJoH+wPu0"
    "9aTi8KW4FSMndsd/SXZqSb4E/XDx7yonoM0IgdlUE87M7mZjfmVG4VZIC+BiJPevtAeP6H/neNxOPbcH"
    "SQrLhDTooKKR7LiD1JzsKtfK6BQjwXm06LIuwVVJJFaJq/IOJh3cYW3zwCsQTWOQcbhI5MjLf4lEcRXa"
    "5jpdwDpKsAdEdEBoYN4Aqw=="
)
OF_A_BODY = (
    "igttnyqQnNXDts9nyuD4ppbAQYfEZqh25GIJprfX4lbJ0A1hBj3huFxp71WwiR2vXymXO0MsuzJsPYry"
    "cCAyoNBBAfbl5mjyM9fxBNIXz7y+WLXHlMhYsv1jC8/q6LBAL83jxDm3szdhtdvulTm4exiJFHiAbnms"
    "da+OtGN/dQJA/vWbsaPmqxs5uaMvhcfqE0vTyZZwbqlo6d2M2aOdx/Z4BHmbx4pg7N7gxY+Uus3BMcoJ"
    "1oUwb0ZcubFkAsMV6/3TEH4hR69o1HOT5VL9EibtIvD6V94I3cBPSEyoz69j6YwUtJndu9jBkE5XofJh"
    "NkP0RH2VkwR9cFfdiZ9BmA=="
)
OF_A_SOCKET = (
    "UFCyk41keXQ3J9Qzd3iJeMxHsLCWj5CH9zfVxLJ9ot3x45dj/8oz66EK8txNX9WxbQhKNNmkGXWx2vt8"
    "uyp2RcAGeJJ6qe24107sJkgbS+qMsT+FwI8rGdG63sVVJwuF2pLJQ5LZ+eU1yuN+t0cBMYt0TjXkbWHQ"
    "/3h0jyElccFepKqVlquO3lzOJwyLEL62hkPkqYiNKwFvcOMbIyz98v+X/bI8c3jBOP08sAY/Dtu/+8Ia"
    "VvEQSXKX88oqM2dQRhLwnTqmxM8h3w6Avs9feYXTUTKku63kDXE//abhUbQ/bL+kXqOeKIl04Dsb8Ouv"
    "VsrJWd5hD1jV8buJtjqA/g=="
)


def pem(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    form: PrivateFormat = PrivateFormat.PKCS8,
    password: bytes = b"",
) -> str:
    lock = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, form, lock).decode()


@pytest.mark.parametrize(
    ("payload", "signature"),
    [
        (b"category=linear&symbol=BTCUSDT", OF_A_QUERY),
        (b"", OF_NOTHING),
        (b'{"category":"linear","symbol":"BTCUSDT","orderLinkId":"om-1"}', OF_A_BODY),
    ],
)
def test_a_rest_request_is_signed_by_an_rsa_key_over_the_same_text(
    payload: bytes, signature: str
) -> None:
    headers = RequestSigner(CREDENTIALS, 5000).headers(MS, payload)

    assert headers["X-BAPI-SIGN"] == signature


def test_a_socket_is_authenticated_by_an_rsa_key() -> None:
    assert socket_auth(CREDENTIALS, MS + 1000) == ["TESTKEY0000000001", MS + 1000, OF_A_SOCKET]


def test_the_older_form_of_a_private_key_signs_the_same() -> None:
    older = Credentials("TESTKEY0000000001", pem(KEY, PrivateFormat.TraditionalOpenSSL))

    assert older.is_rsa
    assert sign(older, b"GET/realtime1700000001000") == OF_A_SOCKET


def test_line_ends_of_another_system_and_blanks_around_a_key_do_no_harm() -> None:
    pasted = Credentials(
        "TESTKEY0000000001", f"\r\n  {PKCS_8.replace(chr(10), chr(13) + chr(10))}\r\n"
    )

    assert sign(pasted, b"GET/realtime1700000001000") == OF_A_SOCKET


def test_a_secret_that_is_no_pem_is_one_of_the_exchanges() -> None:
    assert not Credentials("key", "TESTSECRET000000000000000000000000001").is_rsa


@pytest.mark.parametrize(
    "secret",
    [
        PKCS_8.replace("M", "N", 1),
        f"-----BEGIN {LABEL}-----\n-----END {LABEL}-----\n",
        "-----BEGIN ",
        pem(KEY, password=b"word"),
        pem(ec.generate_private_key(ec.SECP256R1())),
        pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)),
        PUBLIC,
    ],
    ids=["damaged", "empty", "begun", "with a passphrase", "elliptic", "short", "public"],
)
def test_what_is_no_private_rsa_key_is_refused_and_not_told(secret: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        Credentials("key", secret)

    assert caught.value.details["field"] == "api_secret"
    assert "RSA" in str(caught.value)
    assert caught.value.details["value"] == "(hidden)"


def test_no_text_of_credentials_shows_an_rsa_key() -> None:
    assert PKCS_8.split()[3] not in repr(CREDENTIALS)
