"""The NodeShell port against a real SSH server on loopback, in sickness and in health."""

import io
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import paramiko
import pytest

from bootstrap.adapters.ssh.shell import NodeAccess, SshShell
from bootstrap.adapters.trust.ssh_keys import SshKeyPair, make_ssh_key_pair
from bootstrap.errors import BootstrapError, TimedOutError
from bootstrap.ports import NodeShell, Reachable, ShellResult
from bootstrap.waiting import NotYet
from tests.builders import a_mark, a_plan, an_image
from tests.fakes.hypervisor import FakeHypervisor
from tests.fakes.shell import FakeShell
from tests.fakes.ssh_server import CLOSE, SILENCE, Answer, SshServer, ssh_server
from tests.fakes.volumes import FakeVolumes

#: What every time-out here costs; nothing depends on its being long.
PATIENCE_S = 0.5
WRONG_KEYS = 20


@dataclass(frozen=True)
class Node:
    """As much of a node as it takes to reach it."""

    ssh_port: int
    name: str = "demo-worker"
    directory: Path = Path("/volumes/demo/demo-worker")
    console_log: Path = Path("/volumes/demo/demo-worker/console.log")


def parsed(pair: SshKeyPair) -> paramiko.Ed25519Key:
    return paramiko.Ed25519Key.from_private_key(io.StringIO(pair.private_text))


HOST, CLIENT = make_ssh_key_pair(), make_ssh_key_pair()


@pytest.fixture
def server() -> Iterator[SshServer]:
    with ssh_server(parsed(HOST), CLIENT.public_line) as running:
        yield running


def a_shell(
    *,
    host: SshKeyPair = HOST,
    client: SshKeyPair = CLIENT,
    timeout_s: float = 20,
    greeting_timeout_s: float = 20,
) -> SshShell:
    access = NodeAccess(
        user="node", client_private_key=client.private_text, host_public_key=host.public_line
    )
    return SshShell(
        lambda _node: access, timeout_s=timeout_s, greeting_timeout_s=greeting_timeout_s
    )


@pytest.fixture(params=["fake", "ssh"])
def reached(request: pytest.FixtureRequest) -> tuple[NodeShell, Reachable, Reachable]:
    """Return a shell, a node that is ready and one that does not run."""
    plan = a_plan()
    ready, gone = plan.nodes
    if request.param == "ssh":
        server: SshServer = request.getfixturevalue("server")
        return a_shell(), replace(ready, ssh_port=server.port), replace(gone, ssh_port=_unused())
    hypervisor, volumes = FakeHypervisor(plan.install_id), FakeVolumes(plan.install_id)
    volumes.ensure_root_volume(ready, image=an_image())
    mark = a_mark(plan, ready)
    hypervisor.ensure_domain(ready, mark=mark, image=an_image(), emulated=True)
    hypervisor.start_domain(ready.domain_name)
    return FakeShell(hypervisor, volumes), ready, gone


def test_fake_and_real_node_are_ready_and_answer(
    reached: tuple[NodeShell, Reachable, Reachable],
) -> None:
    shell, ready, _ = reached
    shell.is_ready(ready)
    assert shell.run(ready, "true", timeout_s=20) == ShellResult(
        exit_status=0, stdout="", stderr=""
    )


def test_fake_and_real_node_that_does_not_run_is_not_yet(
    reached: tuple[NodeShell, Reachable, Reachable],
) -> None:
    shell, _, gone = reached
    with pytest.raises(NotYet):
        shell.is_ready(gone)
    with pytest.raises(NotYet):
        shell.run(gone, "true", timeout_s=20)


def test_fake_and_real_node_that_does_not_run_cannot_be_followed(
    reached: tuple[NodeShell, Reachable, Reachable],
) -> None:
    shell, _, gone = reached
    with pytest.raises(NotYet):
        next(shell.follow(gone, "true"))


def test_the_lines_of_a_command_are_followed_as_root_to_its_end(server: SshServer) -> None:
    server.answer = Answer(stdout=b"one\ntw\xc3\xa4 \xff\n", stderr=b"rest")
    lines = list(a_shell().follow(Node(server.port), "journalctl -f"))
    assert sorted(lines) == ["one", "rest", "tw\u00e4 \ufffd"]
    assert server.commands == ["sudo -n -- sh -c 'journalctl -f'"]


def test_a_command_that_does_not_end_is_followed_line_by_line(server: SshServer) -> None:
    server.answer = Answer(stdout=b"one\ntwo\n")
    server.sick_at["end"] = SILENCE
    lines = a_shell().follow(Node(server.port), "journalctl -f")
    assert (next(lines), next(lines)) == ("one", "two")


def test_ctrl_c_ends_the_following_with_130(server: SshServer) -> None:
    server.answer = Answer(stdout=b"one\n")
    server.sick_at["end"] = SILENCE
    code = (
        "import sys\n"
        "from bootstrap.adapters.ssh.shell import NodeAccess, SshShell\n"
        "from bootstrap.cli.signals import end_on_signals\n"
        "from tests.contract.test_shell import Node\n"
        "end_on_signals()\n"
        "host, _, client = sys.stdin.read().partition('|')\n"
        "access = NodeAccess(user='node', client_private_key=client, host_public_key=host)\n"
        "shell = SshShell(lambda _: access, timeout_s=20)\n"
        "for line in shell.follow(Node(int(sys.argv[1])), 'journalctl -f'):\n"
        "    print(line, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(server.port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as following:
        assert following.stdin is not None
        assert following.stdout is not None
        following.stdin.write(f"{HOST.public_line}|{CLIENT.private_text}")
        following.stdin.close()
        assert following.stdout.readline() == "one\n"
        following.send_signal(signal.SIGINT)
        assert following.wait(60) == 130


def test_a_line_without_an_end_comes_in_pieces(server: SshServer) -> None:
    server.answer = Answer(is_endless=True)
    lines = a_shell().follow(Node(server.port), "yes")
    assert set(next(lines) + next(lines)) == {"x"}


def test_a_connection_that_is_lost_ends_the_following(server: SshServer) -> None:
    server.answer = Answer(stdout=b"one\n")
    server.sick_at["end"] = CLOSE
    lines = a_shell().follow(Node(server.port), "journalctl -f")
    assert next(lines) == "one"
    with pytest.raises(BootstrapError, match="connection to node 'demo-worker' was lost") as lost:
        next(lines)
    assert lost.value.hint == "bootstrap status demo"


def test_a_command_runs_as_root_and_gives_its_output_and_status(server: SshServer) -> None:
    server.answer = Answer(stdout=b"out \xff", stderr=b"err", exit_status=3)
    result = a_shell().run(Node(server.port), "echo 'a b'; $(x)", timeout_s=20)
    assert (result.exit_status, result.stdout, result.stderr) == (3, "out \ufffd", "err")
    assert server.users == ["node"]
    words = shlex.split(server.commands[0])
    assert words == ["sudo", "-n", "--", "sh", "-c", "echo 'a b'; $(x)"]


def test_much_output_comes_whole(server: SshServer) -> None:
    server.answer = Answer(stdout=b"x" * 5_000_000)
    assert len(a_shell().run(Node(server.port), "cat", timeout_s=60).stdout) == 5_000_000


def test_a_node_is_ready_when_its_first_boot_is_done(server: SshServer) -> None:
    a_shell().is_ready(Node(server.port))
    assert "/run/cloud-init/result.json" in server.commands[0]


def test_a_node_that_boots_for_the_first_time_is_not_ready(server: SshServer) -> None:
    server.answer = Answer(exit_status=1)
    with pytest.raises(NotYet, match="cloud-init"):
        a_shell().is_ready(Node(server.port))


def test_another_host_key_is_refused_for_ever(server: SshServer) -> None:
    """S-01, S-09, N-10, G-18: not once is it tried again or is anything sent."""
    for _ in range(WRONG_KEYS):
        with pytest.raises(BootstrapError, match="is not that node") as caught:
            a_shell(host=make_ssh_key_pair()).is_ready(Node(server.port))
        assert caught.value.hint.split()[0] == "ss"
    assert server.users == []
    assert server.commands == []


@pytest.mark.parametrize(
    "key", [paramiko.RSAKey.generate(2048), paramiko.ECDSAKey.generate()], ids=["rsa", "ecdsa"]
)
def test_another_kind_of_host_key_is_refused_for_ever(key: paramiko.PKey) -> None:
    """S-01: our nodes have ed25519 keys only, so it is no node of ours."""
    with (
        ssh_server(key, CLIENT.public_line) as server,
        pytest.raises(BootstrapError, match="is not that node"),
    ):
        a_shell().is_ready(Node(server.port))
    assert server.users == []


def test_a_host_key_that_the_user_trusts_does_not_count(server: SshServer) -> None:
    """SEC-02: the user's known_hosts is not read."""
    known = Path.home() / ".ssh" / "known_hosts"
    known.parent.mkdir()
    known.write_text(f"[127.0.0.1]:{server.port} {HOST.public_line}\n")
    with pytest.raises(BootstrapError, match="is not that node"):
        a_shell(host=make_ssh_key_pair()).is_ready(Node(server.port))


def test_a_refused_connection_is_not_yet() -> None:
    """C-03."""
    with pytest.raises(NotYet, match="onnect"):
        a_shell().is_ready(Node(_unused()))


@pytest.mark.parametrize("stage", ["banner", "session", "start", "end"])
def test_a_connection_that_is_closed_is_not_yet(server: SshServer, stage: str) -> None:
    """C-03: at any moment."""
    server.sick_at[stage] = CLOSE
    with pytest.raises(NotYet):
        a_shell().is_ready(Node(server.port))
    server.sick_at.clear()
    a_shell().is_ready(Node(server.port))


@pytest.mark.parametrize("stage", ["banner", "session", "start", "end"])
def test_a_node_that_falls_silent_is_not_yet(server: SshServer, stage: str) -> None:
    """S-08, G-16: no wait is without an end."""
    server.sick_at[stage] = SILENCE
    with pytest.raises(NotYet):
        a_shell(timeout_s=PATIENCE_S).is_ready(Node(server.port))


def test_a_port_behind_which_nobody_greets_is_left_soon(server: SshServer) -> None:
    """S-08: QEMU takes connections before the guest listens, and a new one is greeted at once."""
    server.sick_at["banner"] = SILENCE
    shell = a_shell(timeout_s=3600, greeting_timeout_s=PATIENCE_S)
    with pytest.raises(NotYet, match="no SSH greeting"):
        shell.is_ready(Node(server.port))
    server.sick_at.clear()
    shell.is_ready(Node(server.port))


def test_the_login_uses_the_connection_that_was_greeted(server: SshServer) -> None:
    """A server punishes who connects and leaves without a login."""
    a_shell().is_ready(Node(server.port))
    assert server.connections == 1


@pytest.mark.parametrize("stage", ["session", "start", "end"])
def test_a_command_that_does_not_end_is_timed_out(server: SshServer, stage: str) -> None:
    server.sick_at[stage] = SILENCE
    with pytest.raises(TimedOutError, match="demo-worker") as caught:
        a_shell().run(Node(server.port), "sleep 1h", timeout_s=PATIENCE_S)
    assert caught.value.hint == "bootstrap logs demo demo-worker"


def test_a_command_that_prints_for_ever_is_timed_out(server: SshServer) -> None:
    """Each line alone comes in time; the whole does not."""
    server.answer = Answer(is_endless=True)
    with pytest.raises(TimedOutError):
        a_shell().run(Node(server.port), "yes", timeout_s=PATIENCE_S)


def test_a_refused_key_is_not_yet(server: SshServer) -> None:
    """C-03: before cloud-init has written the key, it is refused."""
    with pytest.raises(NotYet, match="uthentication"):
        a_shell(client=make_ssh_key_pair()).is_ready(Node(server.port))


def test_a_command_that_dies_of_a_signal_has_no_good_status(server: SshServer) -> None:
    server.answer = Answer(exit_status=None)
    assert a_shell().run(Node(server.port), "x", timeout_s=20).exit_status != 0


def test_nothing_of_a_refused_connection_reaches_stderr(server: SshServer) -> None:
    """paramiko would log a traceback for each of the first seconds' attempts."""
    server.sick_at["banner"] = CLOSE
    code = (
        "import sys\n"
        "from tests.contract.test_shell import Node, NotYet, a_shell\n"
        "try:\n"
        "    a_shell().is_ready(Node(int(sys.argv[1])))\n"
        "except NotYet:\n"
        "    print('not yet')\n"
    )
    argv = [sys.executable, "-c", code, str(server.port)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("not yet\n", "")


def _unused() -> int:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port: int = closed.getsockname()[1]
    return port
