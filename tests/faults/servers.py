"""Servers of a test's own: PostgreSQL and RabbitMQ that may be killed, frozen and started again."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

_POSTGRES: Final = "/usr/lib/postgresql"
_RABBIT: Final = "/usr/lib/rabbitmq/bin/rabbitmq-server"
_START_S: Final = 90.0


def are_installed() -> bool:
    """Whether both servers can be started here."""
    return Path(_RABBIT).exists() and bool(list(Path(_POSTGRES).glob("*/bin/initdb")))


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def family(pid: int) -> list[int]:
    """A process and all its descendants, eldest first."""
    found = [pid]
    for each in found:
        try:
            for task in Path(f"/proc/{each}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue  # it has just ended
    return found


class PrivateServer:
    """A server in a folder of its own. Its rows outlive its deaths, not the block.

    Attributes:
        user: Whom it runs as when the tests are root's: these servers refuse to be root's.
    """

    user = "nobody"

    def __init__(self) -> None:
        self.port = free_port()
        # not pytest's folder: that one is root's alone, and too long a name for a socket
        self.folder = Path(tempfile.mkdtemp(prefix="om-server-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._frozen: list[int] = []
        # a server dies with the thread that made it: this one lives as long as the block
        self._starter = ThreadPoolExecutor(1)
        if self._is_root:
            shutil.chown(self.folder, self.user, self.user)

    def __enter__(self) -> Self:
        try:
            self.prepare()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.resume()
            self.kill()
        self._starter.shutdown()
        shutil.rmtree(self.folder, ignore_errors=True)

    def prepare(self) -> None:
        """Do what comes before the first start."""

    def command(self) -> Sequence[str]:
        """What runs the server in the foreground."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """Its variables; nothing of ours."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8"}

    def is_up(self) -> bool:
        """Whether it answers clients."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.spawn()
        self.wait_until_up()

    def spawn(self) -> None:
        """Start it."""
        self._process = self._starter.submit(self._spawned).result()

    def _spawned(self) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                self._as_user(self.command()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self.environment(),
                start_new_session=True,
            )

    def wait_until_up(self) -> None:
        """Wait until it answers."""
        assert self._process is not None
        ends_at = time.monotonic() + _START_S
        while not self.is_up():
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < ends_at, self.log()
            time.sleep(0.05)

    def kill(self) -> None:
        """kill -9 of the server and everything it started, at once."""
        assert self._process is not None
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._process = None

    def pause(self) -> None:
        """Freeze it: connections stay, nothing is answered."""
        self._frozen = self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        for pid in reversed(self._frozen):
            _send(pid, signal.SIGCONT)
        self._frozen = []

    def log(self) -> str:
        """The end of what it said."""
        return (self.folder / "log").read_text(errors="replace")[-3000:]

    @property
    def _is_root(self) -> bool:
        return os.geteuid() == 0

    def _as_user(self, command: Sequence[str]) -> list[str]:
        """The command as its user; it does not outlive the tests, however they end."""
        drop = [f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"]
        return ["setpriv", *(drop if self._is_root else []), "--pdeathsig", "KILL", *command]

    def _signal(self, number: signal.Signals) -> list[int]:
        """Send it to all, the eldest frozen first: then nobody has children meanwhile."""
        assert self._process is not None
        _send(self._process.pid, signal.SIGSTOP)
        members = family(self._process.pid)
        for pid in members:
            _send(pid, number)
        return members


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it has ended meanwhile


class PrivatePostgres(PrivateServer):
    """A durable PostgreSQL: what it has committed survives its kill.

    Args:
        password: Of its user `postgres`; without one it trusts everybody.
    """

    user = "postgres"

    def __init__(self, password: str = "") -> None:
        super().__init__()
        self._password = password

    @property
    def url(self) -> str:
        """Of the database `postgres`."""
        password = f":{quote(self._password, safe='')}" if self._password else ""
        return f"postgresql://postgres{password}@127.0.0.1:{self.port}/postgres"

    @property
    def _programs(self) -> Path:
        found = [each for each in Path(_POSTGRES).glob("*/bin") if (each / "initdb").exists()]
        assert found, "no PostgreSQL server (Debian: postgresql)"
        return max(found, key=lambda each: int(each.parent.name))

    def prepare(self) -> None:
        """Make an empty cluster."""
        options = ["-U", "postgres", "--encoding=UTF8", "--locale=C", "--no-sync"]
        if self._password:
            secret = self.folder / "password"
            secret.write_text(self._password)
            secret.chmod(0o644)
            options += ["--auth=scram-sha-256", f"--pwfile={secret}"]
        else:
            options.append("--auth=trust")
        subprocess.run(
            self._as_user([str(self._programs / "initdb"), "-D", str(self._data), *options]),
            check=True,
            capture_output=True,
            cwd=self.folder,
            env=self.environment(),
        )

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def command(self) -> Sequence[str]:
        """The postmaster, with small memory and its default durability."""
        place = ["-D", str(self._data), "-h", "127.0.0.1", "-p", str(self.port)]
        return [str(self._programs / "postgres"), *place, "-k", str(self.folder), "-B", "32MB"]

    def is_up(self) -> bool:
        """Whether the recovery is over as well."""
        asked = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(asked, check=False).returncode == 0


class PrivateRabbit(PrivateServer):
    """A RabbitMQ node without plugins, with its own name, port and name daemon.

    Args:
        password: Of its user `guest`.
    """

    user = "rabbitmq"

    def __init__(self, password: str = "guest") -> None:
        super().__init__()
        self._password = password
        self._distribution, self._names = free_port(), free_port()

    @property
    def url(self) -> str:
        """Of its default virtual host."""
        return f"amqp://guest:{quote(self._password, safe='')}@127.0.0.1:{self.port}/"

    def prepare(self) -> None:
        """Write its settings."""
        assert Path(_RABBIT).exists(), "no RabbitMQ server (Debian: rabbitmq-server)"
        lines = [
            f"listeners.tcp.one = 127.0.0.1:{self.port}",
            "log.console = true",
            "log.console.level = warning",
            "log.file = false",
            "disk_free_limit.absolute = 10MB",
            f"default_pass = {self._password}",
        ]
        (self.folder / "rabbitmq.conf").write_text("\n".join(lines) + "\n")
        (self.folder / "plugins").write_text("[].\n")

    def command(self) -> Sequence[str]:
        """The node."""
        return [_RABBIT]

    def environment(self) -> dict[str, str]:
        """Everything it reads or writes is in its folder."""
        names = {
            "CONF_ENV_FILE": "/dev/null",
            "CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "MNESIA_BASE": str(self.folder / "mnesia"),
            "LOG_BASE": str(self.folder / "logs"),
            "PID_FILE": str(self.folder / "pid"),
            "NODENAME": f"om{self.port}@localhost",
            "DIST_PORT": str(self._distribution),
            "SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
        }
        own = {f"RABBITMQ_{name}": text for name, text in names.items()}
        daemon = {"ERL_EPMD_PORT": str(self._names), "ERL_EPMD_ADDRESS": "127.0.0.1"}
        return super().environment() | own | daemon

    def starve(self) -> None:
        """Raise the memory alarm: publishers are blocked, consumers are not."""
        self._control("set_vm_memory_high_watermark", "absolute", "1MB")

    def feed(self) -> None:
        """Clear the alarm."""
        self._control("set_vm_memory_high_watermark", "absolute", "512MB")

    def _control(self, *words: str) -> None:
        program = str(Path(_RABBIT).with_name("rabbitmqctl"))
        done = subprocess.run(
            self._as_user([program, *words]),
            env=self.environment(),
            cwd=self.folder,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def is_up(self) -> bool:
        """Whether it begins the talk of its protocol."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as line:
                line.settimeout(2)
                line.sendall(b"AMQP\x00\x00\x09\x01")
                return line.recv(1) == b"\x01"
        except OSError:
            return False

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        # the name daemon left the family when it was born
        subprocess.run(
            ["epmd", "-port", str(self._names), "-kill"], check=False, capture_output=True
        )
