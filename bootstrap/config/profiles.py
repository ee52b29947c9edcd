"""Profiles: values that some fields have together where neither the file nor an option sets them.

A profile is not a property of a cluster: what it fills in is, as if the user had written it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bootstrap.model.spec import NodeRole


class Profile(StrEnum):
    """What a cluster is for; security profiles are something else, see ``SecurityProfile``."""

    DEFAULT = "default"
    CI = "ci"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a profile fills in."""

    #: The number of workers where no nodes are listed.
    workers: int
    memory: Mapping[NodeRole, str]


#: The option, and the key of the file, that names a profile.
PROFILE = "profile"
#: The options that a profile stands for.
GOVERNED = ("workers", "memory")

#: The default profile fills in nothing: its values are the defaults in the table of fields.
SETTINGS = {
    # All three within 6 GiB of the host's memory by KVM, QEMU included: a hosted runner has 7.
    # kubeadm asks for 1700 MiB on a control plane; 1.5 GB are in use there, and 0.65 GB on a
    # worker without pods of users. Two workers, so that pods can be spread and moved.
    Profile.CI: Settings(
        workers=2, memory={NodeRole.CONTROL_PLANE: "2304MiB", NodeRole.WORKER: "1536MiB"}
    )
}


def listed_nodes(profile: object) -> list[dict[str, Any]]:
    """Return the groups of nodes that a file without any has, as data of the file."""
    settings = _settings(profile)
    count = {"count": settings.workers} if settings else {}
    return [{"role": NodeRole.CONTROL_PLANE.value}, {"role": NodeRole.WORKER.value, **count}]


def fill_in(data: Any, profile: object) -> None:  # noqa: ANN401 - as YAML gave it
    """Set what the profile sets in the file's data, where nothing is set.

    Where the file has another shape, nothing is set; validation reports it.
    """
    settings = _settings(profile)
    if settings is None:
        return
    groups = data.setdefault("nodes", listed_nodes(profile))
    for group in groups if isinstance(groups, list) else []:
        if not isinstance(group, dict):
            continue
        role = group.get("role", NodeRole.CONTROL_PLANE)
        known = next((one for one in settings.memory if one == role), None)
        if known is not None:
            group.setdefault("memory", settings.memory[known])


def _settings(profile: object) -> Settings | None:
    # Not every value that YAML makes is hashable.
    return next((found for one, found in SETTINGS.items() if one == profile), None)
