"""A TCP connection's way to a server, ill in the ways that lie below SSH."""

import contextlib
import random
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.processes import free_ports

_BUFFER = 65536
_RESET = struct.pack("ii", 1, 0)


@dataclass(kw_only=True)
class Illness:
    """What becomes of a connection once ``after`` bytes of the server have passed."""

    #: healthy, slow, close, reset, freeze, or a kind of noise.
    kind: str = "healthy"
    after: int = 0
    chance: random.Random = field(default_factory=random.Random)

    def __str__(self) -> str:
        return f"{self.kind} after {self.after}"


@dataclass
class SickLink:
    """Forwards a port of its own to ``target``; change its fields between connections."""

    target: int
    ill: Illness = field(default_factory=Illness)
    port: int = 0
    _listener: socket.socket | None = None
    _ended: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _sockets: list[socket.socket] = field(default_factory=list)

    def open(self) -> None:
        """Take connections; from now on always at the same port."""
        while self._listener is None:
            # Only a port that was asked for by number stays ours while we do not listen.
            with contextlib.suppress(OSError):
                self._listener = socket.create_server(("127.0.0.1", self.port or free_ports(1)[0]))
                self.port = self._listener.getsockname()[1]
        self._listener.listen()
        self._start(self._accept, self._listener)

    def refuse(self) -> None:
        """Listen no longer, without giving the port to others."""
        assert self._listener
        self._listener.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """Let every connection go."""
        self._ended.set()
        assert self._listener
        for end in (self._listener, *self._sockets):
            # Closing alone does not wake a thread that waits.
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                self._start(self._serve, client, self.ill)

    def _serve(self, client: socket.socket, ill: Illness) -> None:
        self._sockets.append(client)
        with contextlib.closing(client), contextlib.suppress(OSError):
            if ill.kind == "reset" and ill.after == 0:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                return
            with socket.create_connection(("127.0.0.1", self.target)) as server:
                self._sockets.append(server)
                self._start(_forward, client, server)
                try:
                    self._answers(client, server, ill)
                finally:
                    # Another thread reads from it, so that closing alone would say nothing.
                    client.shutdown(socket.SHUT_RD if ill.kind == "reset" else socket.SHUT_RDWR)

    def _answers(self, client: socket.socket, server: socket.socket, ill: Illness) -> None:
        passed = 0
        while data := server.recv(_BUFFER):
            if ill.kind == "slow":
                self._drip(client, data, ill)
            elif ill.kind != "healthy" and passed + len(data) >= ill.after:
                at = ill.after - passed
                client.sendall(data[:at])
                self._fall_ill(client, data[at:], ill)
                return
            else:
                client.sendall(data)
            passed += len(data)

    def _drip(self, client: socket.socket, data: bytes, ill: Illness) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data and not self._ended.wait(ill.chance.uniform(0, 0.0005)):
            size = ill.chance.randint(1, 9)
            client.sendall(data[:size])
            data = data[size:]

    def _fall_ill(self, client: socket.socket, rest: bytes, ill: Illness) -> None:
        if ill.kind == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        if ill.kind in {"close", "reset"}:
            return
        for data in _noise(rest, ill):
            if self._ended.wait(ill.chance.uniform(0.001, 0.05)):
                return
            client.sendall(data)
        if ill.kind != "babble" or ill.chance.random() < 0.5:
            self._ended.wait()


def _noise(rest: bytes, ill: Illness) -> Iterator[bytes]:
    chance = ill.chance
    match ill.kind:
        case "corrupt":
            damaged = bytearray(rest)
            for _ in range(chance.randint(1, 4)):
                if damaged:  # a piece may end just where the illness begins
                    damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
            yield bytes(damaged)
        case "babble":
            yield chance.randbytes(chance.randint(1, 100_000))
        case "escapes":
            yield b"\x1b]0;owned\x07\x1b[2J\x9b1m" + b"\x00\r" + b"A" * 100_000 + b"\r\n"
        case "tarpit":
            while True:
                yield b"%x\r\n" % chance.getrandbits(32)
        case "endless line":
            while True:
                yield b"a" * 1000
        case _:
            return


@contextlib.contextmanager
def sick_link(target: int) -> Iterator[SickLink]:
    link = SickLink(target)
    link.open()
    try:
        yield link
    finally:
        link.end()


def _forward(client: socket.socket, server: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := client.recv(_BUFFER):
            server.sendall(data)
        server.shutdown(socket.SHUT_WR)
