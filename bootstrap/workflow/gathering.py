"""Gather what explains the state of a cluster, well or sick, and save it as one archive."""

import json
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from bootstrap import __version__
from bootstrap.config.flags import Flags
from bootstrap.errors import BootstrapError
from bootstrap.model.cluster import Domain
from bootstrap.model.names import ClusterName
from bootstrap.planning.document import plan_document
from bootstrap.ports import NodeShell, Reachable
from bootstrap.threads import at_once
from bootstrap.waiting import NotYet
from bootstrap.workflow.environment import Ports
from bootstrap.workflow.preview import preview

#: At the same time; most of them wait.
_THREADS = 32
#: Of one command on a node; an emulated one takes a while for a long journal.
_COMMAND_TIMEOUT_S = 90
#: How many questions a node or the API server leaves unanswered before it is asked no more.
_TRIES = 2
#: The commands that each node runs, by the name of the file that holds the answer.
QUESTIONS = {
    "journal.txt": "journalctl --no-pager -n 10000",
    "kubelet.txt": "journalctl --no-pager -u kubelet -n 5000",
    "containerd.txt": "journalctl --no-pager -u containerd -n 2000",
    "containers.txt": "ctr -n k8s.io containers ls; ctr -n k8s.io tasks ls",
    "container-logs.txt": "tail -v -n 500 /var/log/pods/*/*/*.log",
    "cloud-init.txt": "cloud-init status --long; tail -n 200 /var/log/cloud-init.log",
    "network.txt": "ip address; ip route; networkctl --no-pager; nft list ruleset",
    "system.txt": "uname -a; uptime; systemctl --failed --no-pager; dmesg | tail -n 200; free -m; "
    "df -h; ps -eo pid,ppid,stat,etime,rss,comm",
}
#: What the API server is asked for: nothing that may hold a secret of the user.
RESOURCES = (
    "nodes.v1",
    "pods.v1",
    "events.v1",
    "namespaces.v1",
    "services.v1",
    "persistentvolumes.v1",
    "persistentvolumeclaims.v1",
    "deployments.v1.apps",
    "daemonsets.v1.apps",
    "replicasets.v1.apps",
    "statefulsets.v1.apps",
    "jobs.v1.batch",
    "endpointslices.v1.discovery.k8s.io",
    "leases.v1.coordination.k8s.io",
    "networkpolicies.v1.networking.k8s.io",
    "poddisruptionbudgets.v1.policy",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file of the archive."""

    path: str
    #: Returns its text within a few minutes, or raises.
    read: Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What came of a source: its text, or why there is none."""

    path: str
    text: str = ""
    reason: str = ""


def gather(
    cluster: ClusterName, nodes: Sequence[Reachable], ports: Ports, *, patience: int
) -> dict[str, str]:
    """Return texts by their paths, with a manifest that says what is missing and why.

    Never raises for a sick cluster. What this host has is read first, then what the API server
    answers, then what the nodes do, all at once: their commands slow an emulated API server down.
    """
    local = [_try(source) for source in _of_this_host(cluster, nodes, ports)]
    kubernetes = _ask_all(_of_the_api(cluster, patience, ports))
    asked = [_of_a_node(ports.shell, node) for node in nodes]
    found = [*local, *kubernetes, *chain(*at_once(_ask_all, asked, threads=_THREADS))]
    texts = {one.path: one.text for one in found if not one.reason}
    missing = {one.path: one.reason for one in found if one.reason}
    manifest = {
        "cluster": str(cluster),
        "gathered": ports.now(),
        "bootstrap": __version__,
        "nodes": [node.name for node in nodes],
        "collected": sorted(texts),
        "missing": dict(sorted(missing.items())),
    }
    return {"manifest.json": _json(manifest), **texts}


def _try(source: Source) -> Gathered:
    try:
        return Gathered(path=source.path, text=source.read())
    except (BootstrapError, NotYet, OSError, ValueError) as error:
        details = getattr(error, "details", "")
        reason = " ".join(f"{error} {details}".split())
        return Gathered(path=source.path, reason=reason or type(error).__name__)


def _of_this_host(
    cluster: ClusterName, nodes: Sequence[Reachable], ports: Ports
) -> Iterator[Source]:
    """List the sources that libvirt and the local files answer; libvirt is asked by one thread."""
    yield Source(path="versions.json", read=partial(_versions, ports))
    yield Source(path="machines.json", read=partial(_machines, cluster, ports))
    yield Source(path="plan.json", read=partial(_plan, cluster, ports))
    for node in nodes:
        yield Source(path=f"nodes/{node.name}/console.txt", read=partial(_console, node))
    for name in ("logs/ansible.log", *_names(cluster, ports)):
        yield Source(path=name, read=partial(ports.files.read, cluster, name))


def _ask_all(sources: Iterable[Source]) -> list[Gathered]:
    """Ask one question after the other: an emulated machine answers few at the same time.

    One that does not answer twice in a row is asked no more.
    """
    found: list[Gathered] = []
    for source in sources:
        if len(found) >= _TRIES and all(one.reason for one in found[-_TRIES:]):
            found.append(Gathered(path=source.path, reason=found[-1].reason))
        else:
            found.append(_try(source))
    return found


def _of_a_node(shell: NodeShell, node: Reachable) -> Iterator[Source]:
    for name, question in QUESTIONS.items():
        yield Source(path=f"nodes/{node.name}/{name}", read=partial(_ask, shell, node, question))


def _of_the_api(cluster: ClusterName, patience: int, ports: Ports) -> Iterator[Source]:
    yield Source(path="kubernetes/readyz.txt", read=partial(_ready, cluster, ports))
    for resource in RESOURCES:
        read = partial(_objects, cluster, resource, patience, ports)
        yield Source(path=f"kubernetes/{resource.partition('.')[0]}.json", read=read)


def _versions(ports: Ports) -> str:
    # Not platform.uname, which starts a program.
    host = os.uname()
    return _json(
        {
            "bootstrap": __version__,
            "python": platform.python_version(),
            "host": f"{host.sysname} {host.release} {host.machine}",
            "hypervisor": ports.site.hypervisor_uri,
            "qemu": ports.hypervisor.version(),
        }
    )


def _machines(cluster: ClusterName, ports: Ports) -> str:
    """Describe each domain of the cluster, as libvirt and its mark tell."""
    domains = [*ports.hypervisor.domains(cluster), *ports.hypervisor.switches(cluster)]
    return _json([_machine(domain) for domain in domains])


def _machine(domain: Domain) -> dict[str, object]:
    return {
        "domain": domain.domain_name,
        "uuid": str(domain.uuid),
        "state": domain.state.value,
        "reason": domain.reason,
        "emulated": domain.is_emulated,
        "created": domain.mark.created,
        "ports": dict(domain.mark.ports),
        "facts": dict(domain.mark.facts),
    }


def _plan(cluster: ClusterName, ports: Ports) -> str:
    flags = Flags(name=str(cluster))
    from bootstrap.config.load import load_spec  # noqa: PLC0415 - takes time to load

    found = preview(load_spec(None, flags), ports, chosen=flags.chosen_facts())
    return _json(plan_document(found.plan, exists=found.existing))


def _names(cluster: ClusterName, ports: Ports) -> Sequence[str]:
    try:
        return ports.files.names(cluster, "runs")
    except BootstrapError:
        return []


def _console(node: Reachable) -> str:
    return node.console_log.read_text(errors="replace")


def _ask(shell: NodeShell, node: Reachable, question: str) -> str:
    answer = shell.run(node, question, timeout_s=_COMMAND_TIMEOUT_S)
    return answer.stdout + answer.stderr


def _ready(cluster: ClusterName, ports: Ports) -> str:
    ports.api.check_ready(_kubeconfig(cluster, ports))
    return "ok\n"


def _objects(cluster: ClusterName, resource: str, patience: int, ports: Ports) -> str:
    return ports.api.objects(_kubeconfig(cluster, ports), resource, patience=patience)


def _kubeconfig(cluster: ClusterName, ports: Ports) -> Path:
    path = ports.files.find(cluster, "kubeconfig")
    if path is None:
        raise NotYet("the cluster has no kubeconfig")
    return path


def _json(data: object) -> str:
    return json.dumps(data, indent=2) + "\n"
