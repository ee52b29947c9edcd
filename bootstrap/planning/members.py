"""Which nodes a cluster has: a set of names, of which some may be missing in between."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import count, filterfalse, islice

from bootstrap.model.names import node_index, node_name
from bootstrap.model.spec import ClusterSpec, NodeGroupSpec, NodeRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A node by its name, and what it is like."""

    name: str
    #: The place of the name in its role, from which the node's addresses follow.
    index: int
    group: NodeGroupSpec


def members_of(spec: ClusterSpec, existing: Collection[str] = ()) -> tuple[Member, ...]:
    """Turn the counts of a spec into names, control planes first.

    Nodes that exist, named in ``existing``, keep their names. New ones get the lowest that are
    free. Groups follow the order of the names.
    """
    return tuple(member for role in NodeRole for member in _of_role(spec, role, existing))


def _of_role(spec: ClusterSpec, role: NodeRole, existing: Collection[str]) -> Iterator[Member]:
    groups = [group for group in spec.node_groups if group.role is role for _ in range(group.count)]
    known = {index for name in existing if (index := node_index(name, role.value)) is not None}
    new = islice(filterfalse(known.__contains__, count()), max(0, len(groups) - len(known)))
    for index, group in zip(sorted(known | set(new)), groups, strict=False):
        yield Member(name=node_name(role.value, index), index=index, group=group)
