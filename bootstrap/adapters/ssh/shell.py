"""Run commands on a node with paramiko; the host key is known before the first connection."""

import base64
import contextlib
import io
import logging
import shlex
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import paramiko
from paramiko.ssh_exception import IncompatiblePeer

from bootstrap.adapters.events.commands import log_command
from bootstrap.adapters.ssh.following import lines
from bootstrap.cancelling import when_cancelled
from bootstrap.errors import BootstrapError, TimedOutError
from bootstrap.ports import Reachable, ShellResult
from bootstrap.waiting import NotYet

_LOOPBACK = "127.0.0.1"
_FIRST_BOOT_DONE = "/run/cloud-init/result.json"
_FIRST_BOOT_DISABLED = "/etc/cloud/cloud-init.disabled"
#: QEMU takes a connection before the guest listens, and then the greeting may come half a
#: minute late; a new connection gets it at once.
_GREETING_TIMEOUT_S = 5.0
_QUOTED_CHARACTERS = 200
#: Bytes of each stream: far more than any journal that is read, far less than memory.
_LONGEST_OUTPUT = 64 * 1024**2

#: Every kind of host key except ed25519, the only one of the nodes.
_HOST_KEY_KINDS = (
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
    "ssh-rsa",
)


# paramiko logs each refused connection with a traceback, which would end up on stderr.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeAccess:
    """The user and the keys for a login on a node."""

    user: str
    client_private_key: str
    #: The node's own public key, as ``ssh-ed25519 AAAA...``.
    host_public_key: str


class SshShell:
    """Implements :class:`bootstrap.ports.NodeShell`; see there for the promises."""

    def __init__(
        self,
        access: Callable[[Reachable], NodeAccess],
        *,
        timeout_s: float,
        greeting_timeout_s: float = _GREETING_TIMEOUT_S,
    ) -> None:
        self._access = access
        self._timeout_s = timeout_s
        self._greeting_timeout_s = min(timeout_s, greeting_timeout_s)

    def is_ready(self, node: Reachable) -> None:
        """See the port."""
        question = f"test -e {_FIRST_BOOT_DONE} -o -e {_FIRST_BOOT_DISABLED}"
        try:
            answer = self.run(node, question, timeout_s=self._timeout_s)
        except TimedOutError as error:
            raise NotYet(error.message) from error
        if answer.exit_status != 0:
            raise NotYet("cloud-init has not finished")

    def run(
        self, node: Reachable, command: str, *, timeout_s: float, stdin: str = ""
    ) -> ShellResult:
        """See the port. A lost connection raises NotYet: the node is not ready."""
        log_command(["bootstrap", "ssh", node.directory.parent.name, node.name, "--", command])
        with (
            self._connected(node) as client,
            when_cancelled(client.close),
            _cut_off_after(timeout_s, client) as cut_off,
        ):
            try:
                return _execute(client, command, stdin)
            except _TooLongError as error:
                raise BootstrapError(
                    f"A command on node '{node.name}' printed too much.",
                    details=f"It was ended after {_LONGEST_OUTPUT} bytes.",
                    hint=f"bootstrap logs {node.directory.parent.name} {node.name}",
                ) from error
            except Exception as error:  # paramiko raises any exception of its own thread
                if not cut_off.is_set():
                    raise NotYet(f"the connection was lost: {_quoted(error)}") from error
                raise TimedOutError(
                    f"Timed out after {timeout_s:.0f} s: a command on node '{node.name}'.",
                    hint=f"bootstrap logs {node.directory.parent.name} {node.name}",
                ) from error

    def follow(self, node: Reachable, command: str) -> Iterator[str]:
        """See the port."""
        cluster = node.directory.parent.name
        log_command(["bootstrap", "ssh", cluster, node.name, "--", command])
        with self._connected(node) as client, when_cancelled(client.close):
            try:
                yield from lines(client, _as_root(command))
            except (EOFError, OSError, paramiko.SSHException) as error:
                raise BootstrapError(
                    f"The connection to node '{node.name}' was lost.",
                    details=_quoted(error),
                    hint=f"bootstrap status {cluster}",
                ) from error

    @contextlib.contextmanager
    def _connected(self, node: Reachable) -> Iterator[paramiko.SSHClient]:
        access = self._access(node)
        client = paramiko.SSHClient()
        kind, encoded = access.host_public_key.split()[:2]
        client.get_host_keys().add(
            f"[{_LOOPBACK}]:{node.ssh_port}",
            kind,
            paramiko.Ed25519Key(data=base64.b64decode(encoded)),
        )
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        try:
            self._connect(client, node, access)
            yield client
        finally:
            client.close()

    def _connect(self, client: paramiko.SSHClient, node: Reachable, access: NodeAccess) -> None:
        key = paramiko.Ed25519Key.from_private_key(io.StringIO(access.client_private_key))
        try:
            client.connect(
                _LOOPBACK,
                port=node.ssh_port,
                sock=_greeted(node.ssh_port, self._greeting_timeout_s),
                username=access.user,
                pkey=key,
                allow_agent=False,
                look_for_keys=False,
                timeout=self._timeout_s,
                banner_timeout=self._timeout_s,
                auth_timeout=self._timeout_s,
                disabled_algorithms={"keys": _HOST_KEY_KINDS},
            )
        # A peer without an ed25519 key is not the node either.
        except (paramiko.BadHostKeyException, IncompatiblePeer) as error:
            raise BootstrapError(
                f"The machine that answers for node '{node.name}' is not that node.",
                details="Its SSH host key is not the one that this cluster gave it.",
                hint=f"ss -ltnp 'sport = :{node.ssh_port}'",
            ) from error
        # paramiko raises any exception of its own thread, and garbage causes many kinds.
        except Exception as error:
            raise NotYet(_quoted(error)) from error


def _greeted(port: int, timeout_s: float) -> socket.socket:
    """Connect, and return the connection once the server has begun to greet.

    The login uses the same one: a server may punish who leaves without a login.

    :raises OSError: if it does not in time.
    """
    connection = socket.create_connection((_LOOPBACK, port), timeout=timeout_s)
    try:
        if not connection.recv(1, socket.MSG_PEEK):
            raise ConnectionError("the connection was closed without an SSH greeting")
    except TimeoutError as error:
        connection.close()
        raise TimeoutError(f"no SSH greeting within {timeout_s:.0f} s") from error
    except OSError:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def _cut_off_after(timeout_s: float, client: paramiko.SSHClient) -> Iterator[threading.Event]:
    """Close the connection at the deadline: paramiko waits for some answers without a limit."""
    cut_off = threading.Event()

    def cut() -> None:
        cut_off.set()
        client.close()

    timer = threading.Timer(timeout_s, cut)
    timer.daemon = True
    timer.start()
    try:
        yield cut_off
    finally:
        timer.cancel()
        timer.join()


def _quoted(error: Exception) -> str:
    """Return the text of an error as one printable line: the peer may have sent it (SEC-15)."""
    shown = "".join(one if one.isprintable() else " " for one in str(error))
    return " ".join(shown.split())[:_QUOTED_CHARACTERS] or type(error).__name__


class _TooLongError(Exception):
    """A command printed more than the limit."""


def _whole(stream: paramiko.ChannelFile) -> bytes:
    data: bytes = stream.read(_LONGEST_OUTPUT)
    if len(data) == _LONGEST_OUTPUT:
        # Otherwise the reader of the other stream would wait for the end of this command.
        stream.channel.close()
        raise _TooLongError
    return data


def _as_root(command: str) -> str:
    return f"sudo -n -- sh -c {shlex.quote(command)}"


def _execute(client: paramiko.SSHClient, command: str, text: str) -> ShellResult:
    stdin, stdout, stderr = client.exec_command(_as_root(command))
    stdin.write(text)
    stdin.channel.shutdown_write()
    # Both at the same time: they share one window, so an unread stream would stop the other.
    # The channel is closed first, so that an interruption does not wait for the command.
    with ThreadPoolExecutor(max_workers=1) as pool, contextlib.closing(stdout.channel):
        reading = pool.submit(_whole, stderr)
        out, err = _whole(stdout), reading.result()
        status = stdout.channel.recv_exit_status()
    transport = client.get_transport()
    if status < 0 and (transport is None or not transport.is_active()):
        raise EOFError("it ended before the command did")
    return ShellResult(
        exit_status=status,
        stdout=out.decode(errors="replace"),
        stderr=err.decode(errors="replace"),
    )
