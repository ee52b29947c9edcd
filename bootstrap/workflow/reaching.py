"""Lead into a cluster: the command lines of ssh, scp and kubectl, and commands on nodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap.errors import BootstrapError, HostError, UsageError
from bootstrap.model.cluster import Domain
from bootstrap.model.names import ClusterName
from bootstrap.ports import ShellResult
from bootstrap.waiting import NotYet
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.files import find_file
from bootstrap.workflow.nodes import existing_domains, find_node, refuse_still

#: For the connection, the greeting and the exchange of keys together. QEMU takes a connection
#: at once, also for a guest on which nothing listens.
_CONNECT = ("-o", "ConnectTimeout=14")
_LARGEST_PORT = 65535
_FACT = "kubernetesVersion"


@dataclass(frozen=True, slots=True, kw_only=True)
class KubectlCommand:
    """What starts the kubectl of a cluster: the program, its words and its own variables."""

    program: Path
    argv: Sequence[str]
    environment: Mapping[str, str]


def run_on_node(  # noqa: PLR0913 - each argument is one property of a command
    cluster: ClusterName, node: str, command: str, ports: Ports, *, stdin: str, timeout_s: float
) -> ShellResult:
    """Run a shell command as root on a node, and wait for its end.

    :raises UsageError: if there is no such node.
    :raises TimedOutError: if the command runs longer than ``timeout_s`` seconds.
    :raises BootstrapError: if the node does not run, or does not answer.
    """
    host = _running(cluster, node, ports)
    try:
        return ports.shell.run(host, command, timeout_s=timeout_s, stdin=stdin)
    except NotYet as error:
        raise BootstrapError(
            f"Node '{host.name}' of cluster '{cluster}' does not answer.",
            details=str(error),
            hint=f"bootstrap status {cluster}",
        ) from error


def ssh_command(
    cluster: ClusterName, node: str, command: Sequence[str], ports: Ports
) -> Sequence[str]:
    """Return the command line that logs in on a node, or that runs ``command`` there.

    :raises UsageError: if there is no such node.
    :raises StateError: if the SSH configuration is not there.
    :raises BootstrapError: if the node does not run.
    """
    host = _running(cluster, node, ports)
    return ["ssh", *_options(cluster, ports), "--", host.name, *command]


def copy_command(
    cluster: ClusterName, source: str, target: str, ports: Ports, *, recursive: bool
) -> Sequence[str]:
    """Return the command line that copies between this host and a node, ``NODE:PATH``.

    :raises UsageError: unless exactly one of both is on a node that exists.
    :raises StateError: if the SSH configuration is not there.
    :raises BootstrapError: if the node does not run.
    """
    ends = [_split(source), _split(target)]
    named = [node for node, _ in ends if node is not None]
    if len(named) != 1:
        raise UsageError(
            "Name a node on one side, and only there.",
            details=f"Asked for is a copy from '{source}' to '{target}'. What begins with the "
            "name of a node and ':' is on that node; './a:b' is a file of this host.",
            hint=f"bootstrap cp {cluster} control-plane:/etc/os-release /dev/null",
        )
    host = _running(cluster, named[0], ports)
    words = [_local(path) if node is None else f"{host.name}:{path}" for node, path in ends]
    flags = ["-r"] if recursive else []
    return ["scp", *_options(cluster, ports), *flags, "--", *words]


def forward_command(
    cluster: ClusterName, node: str, forwards: Sequence[str], ports: Ports
) -> Sequence[str]:
    """Return the command line that leads ports of 127.0.0.1 here to ports of 127.0.0.1 there.

    It ends at once if a port here is taken.

    :raises UsageError: if there is no such node, or a forward is not ``LOCAL[:REMOTE]``.
    :raises StateError: if the SSH configuration is not there.
    :raises BootstrapError: if the node does not run.
    """
    options = [word for forward in forwards for word in ("-L", _forward(forward, cluster))]
    host = _running(cluster, node, ports)
    strict = ("-o", "ExitOnForwardFailure=yes")
    return ["ssh", "-N", *_options(cluster, ports), *strict, *options, "--", host.name]


def kubectl_command(cluster: ClusterName, words: Sequence[str], ports: Ports) -> KubectlCommand:
    """Return what runs the kubectl of the cluster's own version with its kubeconfig.

    :raises HostError: if no such kubectl is built; nothing is built here.
    :raises StateError: if the cluster has no kubeconfig on this host.
    """
    version = existing_domains(cluster, ports)[0].mark.facts[_FACT]
    kubeconfig = find_file(cluster, "kubeconfig", ports)
    program = ports.artifacts.kubectl(version)
    if program is None:
        raise HostError(
            f"No kubectl of Kubernetes {version} is built on this host.",
            details="It is one of the artefacts, which were removed or are another user's.",
            hint=f"bootstrap artifacts build --kubernetes-version {version}",
        )
    return KubectlCommand(
        program=program,
        argv=["kubectl", *words],
        environment={"KUBECONFIG": str(kubeconfig)},
    )


def _options(cluster: ClusterName, ports: Ports) -> Sequence[str]:
    return ["-F", str(find_file(cluster, "ssh/config", ports)), *_CONNECT]


def _running(cluster: ClusterName, node: str, ports: Ports) -> Domain:
    domain = find_node(existing_domains(cluster, ports), node)
    refuse_still(domain)
    return domain


def _split(place: str) -> tuple[str | None, str]:
    """Split a place as scp does: no colon, or a slash before it, and it is a local path."""
    before, colon, after = place.partition(":")
    return (before, after) if colon and before and "/" not in before else (None, place)


def _local(path: str) -> str:
    # Else scp would take a name such as "a:b", after a link or "..", for one of a host.
    return path if path.startswith(("/", "./", "../")) else f"./{path}"


def _forward(text: str, cluster: ClusterName) -> str:
    local, _, remote = text.partition(":")
    numbers = [local, remote or local]
    if not all(_is_port(number) for number in numbers):
        raise UsageError(
            f"'{text}' does not say which ports to join.",
            details=f"It is LOCAL or LOCAL:REMOTE, each from 1 to {_LARGEST_PORT}.",
            hint=f"bootstrap port-forward {cluster} control-plane 8080:80",
        )
    return f"127.0.0.1:{numbers[0]}:127.0.0.1:{numbers[1]}"


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 1 <= int(text) <= _LARGEST_PORT
