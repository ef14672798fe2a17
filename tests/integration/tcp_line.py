"""Line: a TCP connection between two processes, in the hands of a test."""

import select
import socket
from threading import Event, Thread
from urllib.parse import urlsplit, urlunsplit


class Line(Thread):
    """A TCP line to a server, which can be cut for good or once, or turn into a black hole.

    Args:
        port: Of the server, if its URL names none.
    """

    def __init__(self, url: str, port: int) -> None:
        super().__init__(daemon=True)
        place = urlsplit(url)
        self._target = (place.hostname or "", place.port or port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        user = "" if place.username is None else f"{place.username}@"
        self.url = urlunsplit(place._replace(netloc=f"{user}127.0.0.1:{self.port}"))
        self._cut = Event()
        self._drop = Event()
        self._is_hole = Event()
        self._pairs: dict[socket.socket, socket.socket] = {}

    def cut(self) -> None:
        """Let nothing pass and nobody connect any more."""
        self._cut.set()
        self.join()

    def drop(self) -> None:
        """Close every connection there is; new ones pass."""
        self._drop.set()

    def swallow(self) -> None:
        """Carry nothing any more, and close nothing: nobody is told."""
        self._is_hole.set()

    def carry_on(self) -> None:
        """Carry again; the connections of before are gone."""
        self.drop()
        self._is_hole.clear()

    def run(self) -> None:
        while not self._cut.is_set():
            if self._is_hole.is_set():
                self._cut.wait(0.02)
                continue
            if self._drop.is_set():
                self._drop.clear()
                for each in self._pairs:
                    each.close()
                self._pairs.clear()
            ready, _, _ = select.select([self._listener, *self._pairs], [], [], 0.02)
            for each in ready:
                if each is self._listener:
                    near, far = each.accept()[0], socket.create_connection(self._target)
                    self._pairs |= {near: far, far: near}
                elif each in self._pairs:
                    self._carry(each)
        for each in (self._listener, *self._pairs):
            each.close()

    def _carry(self, end: socket.socket) -> None:
        try:
            data = end.recv(65536)
        except OSError:
            data = b""
        if data:
            self._pairs[end].sendall(data)
            return
        for each in (self._pairs.pop(end), end):
            self._pairs.pop(each, None)
            each.close()
