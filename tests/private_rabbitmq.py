"""A RabbitMQ of a test's own, which may be killed, frozen, starved and started again."""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

SERVERS = ("/usr/lib/rabbitmq/bin/rabbitmq-server", shutil.which("rabbitmq-server") or "")
STARTS_WITHIN = 90.0
END_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def find_server() -> Path:
    """The program. Raises FileNotFoundError: install rabbitmq-server."""
    for each in SERVERS:
        if each and Path(each).exists():
            return Path(each)
    raise FileNotFoundError("no RabbitMQ server here: install the package rabbitmq-server")


class PrivateRabbit:
    """One node with its data in a folder; what is durable is there again after a kill."""

    def __init__(self, folder: Path) -> None:
        self.port, self._dist, self._epmd = _free_ports(3)
        self._folder = folder
        self._owner = _owner()
        self._process: subprocess.Popen[bytes] | None = None
        # a server ends with the thread that made it: this one lives as long as we do
        self._starter = ThreadPoolExecutor(1)
        self._write_config()

    def start(self) -> None:
        """Start, and return once it answers."""
        self._process = self._starter.submit(self._spawn).result()
        ends_at = time.monotonic() + STARTS_WITHIN
        while not self._answers():
            assert self._process.poll() is None, self._said()
            assert time.monotonic() < ends_at, self._said()
            time.sleep(0.05)

    def kill(self) -> None:
        """End it at once, as a lost machine does."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait(20)

    def freeze(self) -> None:
        """Let it neither answer nor close anything."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on."""
        self._signal(signal.SIGCONT)

    def starve(self) -> None:
        """Raise the memory alarm: publishers are blocked, consumers are not."""
        self._control("set_vm_memory_high_watermark", "absolute", "1MB")

    def feed(self) -> None:
        """Clear the alarm."""
        self._control("set_vm_memory_high_watermark", "absolute", "512MB")

    def stop(self) -> None:
        """End it for good, and the port mapper it started."""
        if self._process is not None and self._process.poll() is None:
            self.thaw()
            self.kill()
        self._starter.shutdown()
        with suppress(OSError, subprocess.SubprocessError):
            subprocess.run(
                ["epmd", "-kill"],
                env=self._environment,
                capture_output=True,
                timeout=5,
                check=False,
            )

    def _spawn(self) -> subprocess.Popen[bytes]:
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [str(find_server())],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 -- only a system call
                **self._owner,
            )

    def _signal(self, number: signal.Signals) -> None:
        # a group of its own: the shell that started it, and the node
        assert self._process is not None
        os.killpg(self._process.pid, number)

    def _control(self, *words: str) -> None:
        program = find_server().with_name("rabbitmqctl")
        done = subprocess.run(
            [str(program), *words],
            env=self._environment,
            cwd=self._folder,
            capture_output=True,
            timeout=60,
            check=False,
            **self._owner,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _write_config(self) -> None:
        lines = (
            f"listeners.tcp.local = 127.0.0.1:{self.port}",
            "log.console = true",
            "log.console.level = warning",
            "log.file = false",
            "vm_memory_high_watermark.absolute = 512MB",
            "disk_free_limit.absolute = 50MB",
        )
        (self._folder / "rabbitmq.conf").write_text("\n".join(lines) + "\n")
        (self._folder / "plugins").write_text("[].\n")

    @property
    def _environment(self) -> dict[str, str]:
        folder = self._folder
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "logs"),
            "RABBITMQ_NODENAME": f"test{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._dist),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "ERL_EPMD_PORT": str(self._epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none",
        }

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as line:
            line.settimeout(5)
            line.sendall(b"AMQP\x00\x00\x09\x01")
            return bool(line.recv(1))
        return False

    def _said(self) -> str:
        return (self._folder / "log").read_text(errors="replace")[-2000:]


@contextmanager
def a_private_rabbit() -> Iterator[PrivateRabbit]:
    """A running node, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="rabbit-"))
    if owner := _owner():
        os.chown(folder, owner["user"], owner["group"])
    rabbit = PrivateRabbit(folder)
    try:
        rabbit.start()
        yield rabbit
    finally:
        rabbit.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _owner() -> dict[str, Any]:
    """Who runs it where we are root: not we."""
    if os.geteuid() != 0:
        return {}
    for name in ("rabbitmq", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    return {}


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(END_WITH_PARENT, signal.SIGTERM)


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports
