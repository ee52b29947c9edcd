"""Set the values of the command line's options over those of the file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from annotated_types import Ge

from bootstrap.config.problems import Path
from bootstrap.config.profiles import GOVERNED, fill_in, listed_nodes
from bootstrap.config.schema import SECTIONS, Flag
from bootstrap.model.facts import fact_name
from bootstrap.model.spec import NodeRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option of the commands that take a cluster file, or their argument ``NAME``."""

    flag: str
    #: Only of the node groups of this role.
    role: NodeRole | None
    path: Path
    kind: type[int | str]
    help: str
    #: The name under which an existing cluster remembers the value, if it does.
    fact: str | None

    @property
    def name(self) -> str:
        """The name in Python."""
        return self.flag.strip("-").replace("-", "_").lower()


def _options() -> Iterator[Option]:
    for path, section in SECTIONS.items():
        for name, info in section.model_fields.items():
            for flag in (mark for mark in info.metadata if isinstance(mark, Flag)):
                yield Option(
                    flag=flag.option,
                    role=flag.role,
                    path=(*path, str(info.alias)),
                    kind=int if any(isinstance(mark, Ge) for mark in info.metadata) else str,
                    help=flag.help or str(info.description),
                    fact=fact_name(section.spec, name),
                )


OPTIONS = tuple(_options())
PROFILE = "profile"


class Flags:
    """The options that were used, by their names in Python; None stands for not used."""

    def __init__(self, **values: str | int | None) -> None:
        self.values = {name: value for name, value in values.items() if value is not None}

    def chosen_facts(self) -> frozenset[str]:
        """List what the options set, by the names of facts where there are any.

        A profile sets what it governs.
        """
        used = {*self.values, *(GOVERNED if PROFILE in self.values else ())}
        options = (option for option in OPTIONS if option.name in used)
        return frozenset(option.fact or option.name for option in options)


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
        if isinstance(groups, list) and option.role:
            self._set_count(groups, option.role, value, option.flag)
        elif isinstance(groups, list):
            for index in range(len(groups)):
                self._set(("nodes", index, option.path[-1]), value, option.flag)

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
            self._set(("nodes", found[0], "count"), count, flag)
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
    count = group.get("count", 1)
    return count if isinstance(count, int) else 0
