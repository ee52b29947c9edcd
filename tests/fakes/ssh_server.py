"""A real SSH server on loopback that can be sick in the ways of a booting node."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)

CLOSE, SILENCE = "close", "silence"
#: The number of this message in RFC 4254.
_CHANNEL_SUCCESS = bytes([99])
_CHUNK = b"x" * 65536


@dataclass
class Answer:
    """What a command prints and how it ends."""

    stdout: bytes = b""
    stderr: bytes = b""
    exit_status: int | None = 0
    is_endless: bool = False
    #: The endless output is an error.
    is_endless_stderr: bool = False


@dataclass
class SshServer:
    """One node's SSH server; change its fields while it runs."""

    host_key: paramiko.PKey
    allowed: str
    #: ``close`` or ``silence`` instead of: the banner, a session, a command's start, its end.
    sick_at: dict[str, str] = field(default_factory=dict)
    answer: Answer = field(default_factory=Answer)
    commands: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    port: int = 0
    connections: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)

    def serve(self, listener: socket.socket) -> None:
        """Take connections until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve_one, args=(connection,), daemon=True).start()

    def end(self) -> None:
        """Let every silent connection go."""
        self._ended.set()

    def is_sick(self, stage: str, connection: socket.socket) -> bool:
        """Act the illness of a stage, if it has one; True if nothing comes after it."""
        illness = self.sick_at.get(stage)
        if illness == CLOSE:
            connection.close()
        if illness == SILENCE:
            self._ended.wait()
        return illness is not None

    def _serve_one(self, connection: socket.socket) -> None:
        with contextlib.closing(connection):
            if self.is_sick("banner", connection):
                return
            transport = _Transport(connection)
            transport.add_server_key(self.host_key)
            with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
                transport.start_server(server=_Session(self, connection, transport))
            self._ended.wait()
            transport.close()


class _Transport(paramiko.Transport):
    """Tells when a request was answered: a channel that ends before that is another illness."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(connection)
        self.has_answered = threading.Event()

    def _send_user_message(self, data: paramiko.Message) -> None:
        super()._send_user_message(data)  # type: ignore[misc]
        if data.asbytes()[:1] == _CHANNEL_SUCCESS:
            self.has_answered.set()


class _Session(paramiko.ServerInterface):
    def __init__(
        self, server: SshServer, connection: socket.socket, transport: "_Transport"
    ) -> None:
        self._server, self._connection, self._transport = server, connection, transport

    def get_allowed_auths(self, username: str) -> str:
        del username
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self._server.users.append(username)
        right = f"{key.get_name()} {key.get_base64()}" == self._server.allowed
        return AUTH_SUCCESSFUL if right else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        del chanid
        if self._server.is_sick("session", self._connection) or kind != "session":
            return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        return OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        if self._server.is_sick("start", self._connection):
            return False
        self._server.commands.append(command.decode())
        threading.Thread(target=self._run, args=(channel,), daemon=True).start()
        return True

    def _run(self, channel: paramiko.Channel) -> None:
        answer = self._server.answer
        self._transport.has_answered.wait()
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
            channel.sendall(answer.stdout)
            channel.sendall_stderr(answer.stderr)
            while answer.is_endless:
                (channel.sendall_stderr if answer.is_endless_stderr else channel.sendall)(_CHUNK)
            if self._server.is_sick("end", self._connection):
                return
            if answer.exit_status is not None:
                channel.send_exit_status(answer.exit_status)
            channel.close()


@contextlib.contextmanager
def ssh_server(host_key: paramiko.PKey, allowed: str) -> Iterator[SshServer]:
    """Run a server that lets in the one public key ``allowed``."""
    server = SshServer(host_key=host_key, allowed=" ".join(allowed.split()[:2]))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.port = listener.getsockname()[1]
        thread = threading.Thread(target=server.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.end()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
