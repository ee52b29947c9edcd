"""The programs that `ssh`, `cp`, `port-forward` and `kubectl` become, for real."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.composition import Composition
from bootstrap.model.names import ClusterName
from bootstrap.workflow.reaching import copy_command, forward_command, ssh_command
from bootstrap.workflow.up import up
from tests.builders import FakePorts, a_cluster_spec, options, ports_with_fakes, write_kubectl

DEMO = ClusterName("demo")


@pytest.fixture
def silent() -> Iterator[int]:
    """Listen as QEMU does for a guest that hangs: connections are taken, and nothing comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.mark.parametrize("program", ["ssh", "scp", "port-forward"])
def test_a_node_that_takes_a_connection_and_stays_silent_is_given_up(
    program: str, silent: int, tmp_path: Path
) -> None:
    world = ports_with_fakes()
    up(a_cluster_spec(), world.ports, options())
    match program:
        case "ssh":
            argv = ssh_command(DEMO, "worker", ["true"], world.ports)
        case "scp":
            argv = copy_command(DEMO, "worker:x", "y", world.ports, recursive=False)
        case _:
            argv = forward_command(DEMO, "worker", ["8080"], world.ports)
    config = tmp_path / "config"
    config.write_text(f"Host worker\n  HostName 127.0.0.1\n  Port {silent}\n  BatchMode yes\n")
    words = [str(config) if word == "/state/demo/ssh/config" else word for word in argv]
    assert "ConnectTimeout=14" in words
    quick = [word.replace("ConnectTimeout=14", "ConnectTimeout=1") for word in words]
    done = subprocess.run(quick, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 255
    assert "timed out during banner exchange" in done.stderr


KUBECTL = """
from bootstrap.cli import main
from tests.contract.test_reaching import composition

main(composition())
"""


def composition() -> Composition:
    """Give a world with a cluster `demo`."""
    world = ports_with_fakes()
    up(a_cluster_spec(), world.ports, options())
    return Composition(ports=lambda site, events, cluster: FakePorts(world, site, events, cluster))


def test_kubectl_takes_our_place_with_the_users_words() -> None:
    write_kubectl("v1.37.2", '#!/bin/sh\necho "$KUBECONFIG $*"\nexit 3\n')
    words = ["kubectl", "demo", "--", "get", "-o", "json", "--help", "--", "x"]
    done = subprocess.run(
        [sys.executable, "-c", KUBECTL, *words],
        env=os.environ | {"KUBECONFIG": "/of/the/user"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (
        3,
        "/state/demo/kubeconfig get -o json --help -- x\n",
    ), done.stderr
