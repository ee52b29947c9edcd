"""What the command line asks for goes over what the file says."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bootstrap.config.problems import Path
from bootstrap.model.spec import NodeRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """The options of ``bootstrap up`` that say what the cluster is; None is not given."""

    name: str | None = None
    workers: int | None = None
    control_planes: int | None = None
    #: Memory, CPUs and disk are those of every node.
    memory: str | None = None
    cpus: int | None = None
    disk: str | None = None
    kubernetes_version: str | None = None
    hypervisor_uri: str | None = None
    api_server_port: int | None = None
    profile: str | None = None

    def name_workers(self, file: os.PathLike[str] | None) -> bool:
        """Tell whether the number of workers is the user's own choice; a file is one."""
        return self.workers is not None or file is not None

    def named(self, file: os.PathLike[str] | None) -> frozenset[str] | None:
        """List what the user chose of an existing cluster's facts; None means all, by a file."""
        if file is not None:
            return None
        values = {
            "cpus": self.cpus,
            "memoryMiB": self.memory,
            "diskGiB": self.disk,
            "kubernetesVersion": self.kubernetes_version,
            "securityProfile": self.profile,
        }
        return frozenset(fact for fact, value in values.items() if value is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """The file's data with the flags put in."""

    data: Any
    #: The flag that each value is from, unless it is the file's.
    flags: Mapping[Path, str]
    #: What could not be put in, as flag and message.
    problems: tuple[tuple[str, str], ...]


def overlaid(data: Any, flags: Flags) -> Overlay:  # noqa: ANN401 - as YAML gave it
    """Put the flags over the file's data, which is changed.

    Where the file's shape is wrong nothing is put in; the schema will say so.
    """
    sheet = _Sheet(data)
    if isinstance(data, dict):
        sheet.put(("metadata", "name"), flags.name, "NAME")
        sheet.put(("kubernetesVersion",), flags.kubernetes_version, "--kubernetes-version")
        sheet.put(("hypervisor", "uri"), flags.hypervisor_uri, "--hypervisor")
        sheet.put(("networking", "apiServerPort"), flags.api_server_port, "--api-server-port")
        sheet.put(("security", "profile"), flags.profile, "--profile")
        _put_nodes(sheet, flags)
    return Overlay(data=data, flags=sheet.flags, problems=tuple(sheet.problems))


@dataclass(slots=True)
class _Sheet:
    data: Any
    flags: dict[Path, str] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)

    def put(self, path: Path, value: object, flag: str) -> None:
        """Set one value and remember whose it is; None changes nothing."""
        if value is None:
            return
        parent = self.data
        for step in path[:-1]:
            parent = parent.setdefault(step, {}) if isinstance(parent, dict) else parent[step]
        if isinstance(parent, dict):
            parent[path[-1]] = value
            self.flags[path] = flag

    def groups(self, role: NodeRole) -> list[int]:
        """List the node groups of a role, which is a control plane's if none is given."""
        return [
            index
            for index, group in enumerate(self.data["nodes"])
            if isinstance(group, dict) and group.get("role", NodeRole.CONTROL_PLANE) == role
        ]

    def put_count(self, role: NodeRole, count: int | None, flag: str) -> None:
        """Set the size of a role's only node group, making it if there is none."""
        if count is None:
            return
        groups = self.groups(role)
        if not groups:
            groups = [len(self.data["nodes"])]
            self.data["nodes"].append({"role": role.value})
        if len(groups) == 1:
            self.put(("nodes", groups[0], "count"), count, flag)
        elif count != (there := sum(_count(self.data["nodes"][index]) for index in groups)):
            message = f"the file has {len(groups)} groups of {there} {role} nodes; edit the file"
            self.problems.append((flag, message))


def _put_nodes(sheet: _Sheet, flags: Flags) -> None:
    each = {"memory": flags.memory, "cpus": flags.cpus, "disk": flags.disk}
    given = (*each.values(), flags.workers, flags.control_planes)
    if all(value is None for value in given):
        return
    nodes = sheet.data.setdefault("nodes", [{"role": role.value} for role in NodeRole])
    if not isinstance(nodes, list):
        return
    sheet.put_count(NodeRole.CONTROL_PLANE, flags.control_planes, "--control-planes")
    sheet.put_count(NodeRole.WORKER, flags.workers, "--workers")
    for index in range(len(nodes)):
        for key, value in each.items():
            sheet.put(("nodes", index, key), value, f"--{key}")


def _count(group: Mapping[str, object]) -> int:
    count = group.get("count", 1)
    return count if isinstance(count, int) else 0
