"""Load a cluster file, with the flags over it, into a ``ClusterSpec``."""

from pathlib import Path

from bootstrap.config.checks import check
from bootstrap.config.fields import API_VERSION, KIND
from bootstrap.config.flags import Flags, overlaid
from bootstrap.config.reading import read_content
from bootstrap.config.report import report
from bootstrap.config.schema import ClusterFile, NodeGroup
from bootstrap.config.strict_yaml import Document, parse
from bootstrap.config.validation import validate
from bootstrap.model.spec import ClusterSpec, NetworkingSpec, NodeGroupSpec, SecuritySpec


def load_spec(path: Path | None, flags: Flags) -> ClusterSpec:
    """Say what the user asks for: flags over file over defaults.

    Without a file it is one control plane and one worker.

    :raises ConfigError: with everything that is wrong, if anything is (exit code 2).
    """
    document = parse(read_content(path)) if path else _no_file()
    overlay = overlaid(document.data, flags)
    problems = list(document.problems)
    file = None
    if document.is_whole:
        refused = {(problem.path, problem.is_key) for problem in problems}
        file, further = validate(overlay.data)
        problems += [
            problem for problem in further if (problem.path, problem.is_key) not in refused
        ]
    if file:
        spoilt = {problem.spoils for problem in problems}
        problems += [problem for problem in check(file) if not problem.is_moot(spoilt)]
    if file is None or problems or overlay.problems:
        raise report(path, document, problems, overlay)
    return _spec(file)


def _no_file() -> Document:
    return Document(data={"apiVersion": API_VERSION, "kind": KIND})


def _spec(file: ClusterFile) -> ClusterSpec:
    networking = file.networking
    return ClusterSpec(
        name=file.metadata.name,
        kubernetes_version=file.kubernetes_version,
        hypervisor_uri=file.hypervisor.uri,
        node_groups=tuple(_group(group) for group in file.nodes if group.count),
        networking=NetworkingSpec(
            mode=networking.mode,
            cni=networking.cni,
            node_subnet=networking.node_subnet,
            pod_subnet=networking.pod_subnet,
            service_subnet=networking.service_subnet,
            api_server_port=networking.api_server_port,
        ),
        security=SecuritySpec(profile=file.security.profile),
    )


def _group(group: NodeGroup) -> NodeGroupSpec:
    return NodeGroupSpec(
        role=group.role,
        count=group.count,
        cpus=group.cpus_or_default,
        memory_mib=group.memory_mib,
        disk_gib=group.disk,
        labels=group.labels,
    )
