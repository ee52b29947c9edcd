"""The command lines that lead into a cluster, and what they refuse."""

from collections.abc import Callable

import pytest

from bootstrap.errors import BootstrapError, NotFoundError, UsageError
from bootstrap.model.names import ClusterName
from bootstrap.workflow.reaching import copy_command, forward_command, kubectl_command, ssh_command
from bootstrap.workflow.up import up
from tests.builders import FakeWorld, a_cluster_spec, options, write_kubectl

DEMO = ClusterName("demo")
SSH = ("-F", "/state/demo/ssh/config", "-o", "ConnectTimeout=14")


@pytest.fixture
def demo(world: FakeWorld) -> FakeWorld:
    up(a_cluster_spec(), world.ports, options())
    return world


def copy(world: FakeWorld, source: str, target: str, *, recursive: bool = False) -> list[str]:
    return list(copy_command(DEMO, source, target, world.ports, recursive=recursive))


def test_a_login_gives_up_on_a_node_that_does_not_answer(demo: FakeWorld) -> None:
    argv = ssh_command(DEMO, "worker", ["uptime", "-p"], demo.ports)
    assert argv == ["ssh", *SSH, "--", "worker", "uptime", "-p"]


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("notes", "worker:/tmp", ["./notes", "worker:/tmp"]),
        ("/a b/c", "demo-worker:", ["/a b/c", "worker:"]),
        ("worker:x:y", "..", ["worker:x:y", "./.."]),
        ("./worker:x", "control-plane:x", ["./worker:x", "control-plane:x"]),
        ("-r", "worker:x", ["./-r", "worker:x"]),
        ("worker:x", "a/b:c", ["worker:x", "./a/b:c"]),
    ],
)
def test_a_copy_names_a_node_as_scp_names_a_host(
    demo: FakeWorld, source: str, target: str, words: list[str]
) -> None:
    assert copy(demo, source, target) == ["scp", *SSH, "--", *words]


def test_a_directory_is_copied_with_what_is_in_it(demo: FakeWorld) -> None:
    argv = copy(demo, "worker:/etc", "/tmp/etc", recursive=True)  # noqa: S108 - only a word
    assert argv[5:] == ["-r", "--", "worker:/etc", "/tmp/etc"]  # noqa: S108


@pytest.mark.parametrize(
    ("source", "target"), [("a", "b"), ("worker:a", "control-plane:b"), ("./worker:a", "/b")]
)
def test_a_copy_without_a_node_on_just_one_side_is_wrong_use(
    demo: FakeWorld, source: str, target: str
) -> None:
    with pytest.raises(UsageError) as caught:
        copy(demo, source, target)
    assert f"'{source}' to '{target}'" in caught.value.details


def test_ports_are_led_from_loopback_to_loopback(demo: FakeWorld) -> None:
    argv = forward_command(DEMO, "worker", ["8080:80", "9000"], demo.ports)
    strict = ["-o", "ExitOnForwardFailure=yes"]
    ways = ["-L", "127.0.0.1:8080:127.0.0.1:80", "-L", "127.0.0.1:9000:127.0.0.1:9000"]
    assert argv == ["ssh", "-N", *SSH, *strict, *ways, "--", "worker"]


@pytest.mark.parametrize(
    "text", ["", "0", "65536", "x", "80:x", ":80", "1:2:3", "0.0.0.0:80", "-1", "²"]
)
def test_what_is_no_pair_of_ports_is_wrong_use(demo: FakeWorld, text: str) -> None:
    with pytest.raises(UsageError):
        forward_command(DEMO, "worker", ["80", text], demo.ports)


def log_in(world: FakeWorld) -> object:
    return ssh_command(DEMO, "worker", [], world.ports)


def fetch(world: FakeWorld) -> object:
    return copy(world, "worker:x", "x")


def forward(world: FakeWorld) -> object:
    return forward_command(DEMO, "worker", ["80"], world.ports)


@pytest.mark.parametrize("reach", [log_in, fetch, forward])
def test_a_node_that_does_not_run_is_refused_at_once(
    demo: FakeWorld, reach: Callable[[FakeWorld], object]
) -> None:
    demo.hypervisor.power_off_domain("demo-worker")
    with pytest.raises(BootstrapError) as caught:
        reach(demo)
    assert caught.value.message == "Node 'worker' does not run."
    assert caught.value.details == "Its domain 'demo-worker' is shut off."
    assert (caught.value.hint, caught.value.exit_code) == ("bootstrap start demo", 6)


def test_a_node_that_is_not_there_is_wrong_use(demo: FakeWorld) -> None:
    with pytest.raises(UsageError, match="no node 'other'"):
        copy(demo, "other:x", "y")


def test_kubectl_without_a_cluster_is_not_found(world: FakeWorld) -> None:
    with pytest.raises(NotFoundError):
        kubectl_command(DEMO, ["get", "nodes"], world.ports)


@pytest.mark.parametrize("built", [None, "v1.36.0"])
def test_kubectl_that_is_not_built_is_named_with_what_builds_it(
    demo: FakeWorld, built: str | None
) -> None:
    if built:
        write_kubectl(built)
    with pytest.raises(BootstrapError) as caught:
        kubectl_command(DEMO, ["get", "nodes"], demo.ports)
    assert caught.value.exit_code == 3
    assert caught.value.hint == "bootstrap artifacts build --kubernetes-version v1.37.2"


def test_kubectl_is_the_programs_name_and_the_kubeconfig_the_clusters(demo: FakeWorld) -> None:
    program = write_kubectl("v1.37.2")
    command = kubectl_command(DEMO, ["get", "--context", "x"], demo.ports)
    assert (command.program, command.argv) == (program, ["kubectl", "get", "--context", "x"])
    assert command.environment == {"KUBECONFIG": "/state/demo/kubeconfig"}
