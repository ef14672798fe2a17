"""TLS: both transports speak to a server whose certificate they trust, and to no other."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from websockets.asyncio.server import ServerConnection, serve

from order_adapters.venues.bybit.socket_wire import SocketWire
from order_adapters.venues.bybit.transport import HttpTiming, HttpTransport, NotSent
from tests.unit.bybit.raw import OK, Peer, answering, http
from tests.unit.bybit.sockets import KEY, until

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate of this machine that nobody has signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "exchange")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - DAY, now + DAY)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "exchange.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    return path


def context(certificate: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate)
    return made


@asynccontextmanager
async def an_exchange(certificate: Path) -> AsyncIterator[HttpTransport]:
    peer = Peer(answering(http()))
    tls = context(certificate)
    async with await asyncio.start_server(peer.serve, "127.0.0.1", 0, ssl=tls) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        transport = HttpTransport(url, KEY, recv_window_ms=2500, timing=HttpTiming())
        try:
            yield transport
        finally:
            await transport.close()


async def test_an_order_goes_to_an_exchange_that_is_trusted(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with an_exchange(certificate) as transport:
        answers = [await transport.get("/v5/market/time", "", None)]
        answers += [await transport.post("/v5/order/create", b"{}", 1) for _ in range(2)]

    assert [answer.body for answer in answers] == [OK] * 3


async def test_no_byte_of_an_order_goes_to_anybody_else(certificate: Path) -> None:
    async with an_exchange(certificate) as transport:
        with pytest.raises(NotSent, match="certificate"):
            await transport.post("/v5/order/create", b"{}", 1)


async def test_a_socket_speaks_over_tls(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    heard: list[bytes] = []

    async def echo(end: ServerConnection) -> None:
        async for message in end:
            await end.send(message)

    async with serve(echo, "127.0.0.1", 0, ssl=context(certificate)) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        wire = await SocketWire.to(f"wss://127.0.0.1:{port}", heard.append, within=5.0)
        wire.say(b"x" * 100_000)
        await until(lambda: heard)
        await wire.leave()

    assert heard == [b"x" * 100_000]


async def test_a_socket_is_not_opened_to_anybody_else(certificate: Path) -> None:
    async with serve(
        lambda _: asyncio.sleep(0), "127.0.0.1", 0, ssl=context(certificate)
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        with pytest.raises(ssl.SSLCertVerificationError):
            await SocketWire.to(f"wss://127.0.0.1:{port}", lambda _: None, within=5.0)
