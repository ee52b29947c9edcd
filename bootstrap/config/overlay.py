"""Set the values of the command line's options over those of the file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bootstrap.config.flags import Flags
from bootstrap.config.options import OPTIONS, Option
from bootstrap.config.problems import Path
from bootstrap.config.profiles import PROFILE, fill_in, listed_nodes
from bootstrap.model.spec import NodeRole

_COUNT = "count"


@dataclass(slots=True, kw_only=True)
class Overlay:
    """The file's data with the options' values set."""

    data: Any
    #: The option that each value is from, unless it is from the file.
    flags: dict[Path, str] = field(default_factory=dict)
    #: Options that could not be set, with the message.
    problems: list[tuple[str, str]] = field(default_factory=list)

    def set_option(self, option: Option, value: object) -> None:
        """Set an option's value where it belongs; where the file has another shape, nowhere."""
        if option.path[0] != "nodes":
            self._set(option.path, value, option.flag)
            return
        groups = self.data.setdefault("nodes", listed_nodes(self.data.get(PROFILE)))
        if not isinstance(groups, list):
            return
        if option.role and option.path[-1] == _COUNT:
            self._set_count(groups, option.role, value, option.flag)
        else:
            self._set_groups(groups, option, value)

    def _set_groups(self, groups: list[Any], option: Option, value: object) -> None:
        """Set a value of every group, or of every one of the option's role."""
        found = [
            index
            for index, group in enumerate(groups)
            if option.role is None or _role(group) == option.role
        ]
        for index in found:
            self._set(("nodes", index, option.path[-1]), value, option.flag)
        if option.role and not any(_count(groups[index]) for index in found):
            self.problems.append((option.flag, f"the cluster has no {option.role} node"))

    def _set(self, path: Path, value: object, flag: str) -> None:
        parent = self.data
        for step in path[:-1]:
            parent = parent.setdefault(step, {}) if isinstance(parent, dict) else parent[step]
        if isinstance(parent, dict):
            parent[path[-1]] = value
            self.flags[path] = flag

    def _set_count(self, groups: list[Any], role: NodeRole, count: object, flag: str) -> None:
        """Set the count of a role's only group, which is added if there is none."""
        found = [index for index, group in enumerate(groups) if _role(group) == role]
        if not found:
            found = [len(groups)]
            groups.append({"role": role.value})
        if len(found) == 1:
            self._set(("nodes", found[0], _COUNT), count, flag)
        elif count != (total := sum(_count(groups[index]) for index in found)):
            message = f"the file has {len(found)} groups of {total} {role} nodes; edit the file"
            self.problems.append((flag, message))


def overlaid(data: Any, flags: Flags) -> Overlay:  # noqa: ANN401 - as YAML gave it
    """Set the options' values in the file's data, which is changed, and those of its profile."""
    overlay = Overlay(data=data)
    if isinstance(data, dict):
        # The profile first: the others are set in the nodes that it lists.
        for option in sorted(OPTIONS, key=lambda option: option.name != PROFILE):
            if option.name in flags.values:
                overlay.set_option(option, flags.values[option.name])
        fill_in(data, data.get(PROFILE))
    return overlay


def _role(group: object) -> object:
    return group.get("role", NodeRole.CONTROL_PLANE) if isinstance(group, dict) else None


def _count(group: Mapping[str, object]) -> int:
    count = group.get(_COUNT, 1)
    return count if isinstance(count, int) else 0
