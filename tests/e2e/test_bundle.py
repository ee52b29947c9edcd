"""A cluster on a host without a network, from one file that another user has written.

The other host is a user of this one: with a home of its own and nothing in it, in a network
namespace that has no route. libvirt's session daemon and the machines are started in there, too.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.offline import REACH, network_without_routes, steps
from tests.e2e.people import User, bare_user

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(5400),
    pytest.mark.skipif(
        os.environ.get("BOOTSTRAP_E2E") != "all",
        reason="one more cluster, of a user of its own; BOOTSTRAP_E2E=all makes it",
    ),
    pytest.mark.skipif(os.getuid() != 0, reason="makes a user and a network namespace, as root"),
]
NAME = "offline"


@pytest.fixture(scope="module")
def receiver() -> Iterator[User]:
    """A user without any file, in a network without routes."""
    name = f"bo{os.getpid()}"
    with network_without_routes(name) as inside, bare_user(name, inside) as person:
        yield person


@pytest.fixture(scope="module")
def file(user: User, receiver: User) -> Path:
    """The file that the first user writes, handed over."""
    written, brought = user.home / f"{NAME}.bundle", receiver.home / f"{NAME}.bundle"
    written.unlink(missing_ok=True)
    said = user.succeed("bundle", "create", str(written))
    assert "bootstrap bundle use" in said
    shutil.move(written, brought)
    shutil.chown(brought, receiver.name)
    return brought


@pytest.fixture(scope="module")
def installed(receiver: User, file: Path) -> User:
    """Do what the page says, but for the Debian packages, which this host has."""
    unpacked = receiver.other("tar", "-xf", file.name, "README.md")
    assert unpacked.exit_code == 0, unpacked.stderr
    _debian, tool, *_ = steps((receiver.home / "README.md").read_text())
    for line in tool:
        done = receiver.other("/bin/sh", "-c", line)
        assert done.exit_code == 0, f"{line}\n{done.stdout}{done.stderr}"
    return receiver


def test_the_network_of_the_receiver_leads_nowhere(receiver: User) -> None:
    reached = receiver.other("/usr/bin/python3", "-c", REACH)
    assert reached.exit_code == 1
    assert "unreachable" in reached.stderr
    assert not receiver.directories.cache.exists()


def test_a_verified_cluster_is_made_from_the_file_alone(installed: User, file: Path) -> None:
    """I-04."""
    assert "is here now" in installed.succeed("bundle", "use", file.name)
    assert "nothing was changed" in installed.succeed("bundle", "use", file.name)
    try:
        said = installed.succeed("up", NAME, "--workers", "1")
        assert f"Cluster '{NAME}' is verified" in said
        installed.succeed("verify", NAME)
        nodes = installed.succeed("kubectl", NAME, "--", "get", "nodes", "-o", "name")
        assert nodes.split() == ["node/control-plane", "node/worker"]
    finally:
        installed.succeed("down", NAME)
    assert installed.succeed("list", "-o", "name") == ""
    assert installed.programs("qemu-system.*") == []
