"""Choose ports on the hypervisor host's 127.0.0.1."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

#: Below Linux's default ephemeral range, so that no client socket takes one by chance.
FIRST_PORT, LAST_PORT = 20000, 32767


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """One use of a port: a node and what the port is for."""

    node: str
    use: str


def choose_ports(
    slots: Iterable[Slot],
    *,
    seed: str,
    known: Mapping[Slot, int],
    taken: frozenset[int],
    is_free: Callable[[int], bool],
) -> dict[Slot, int]:
    """Give each slot its known port, or the first free one from where its name hashes to.

    ``seed`` names the cluster and its owner, so that others begin their search elsewhere.
    ``taken`` are ports that other clusters were given, running or not.

    :raises ValueError: if no port is left.
    """
    chosen: dict[Slot, int] = {}
    used = set(taken) | set(known.values())
    for slot in slots:
        if slot in known:
            chosen[slot] = known[slot]
            continue
        chosen[slot] = next(
            (port for port in _candidates(seed, slot) if port not in used and is_free(port)), 0
        )
        if not chosen[slot]:
            raise ValueError(f"no free port from {FIRST_PORT} to {LAST_PORT}")
        used.add(chosen[slot])
    return chosen


def _candidates(seed: str, slot: Slot) -> Iterable[int]:
    size = LAST_PORT - FIRST_PORT + 1
    digest = hashlib.sha256(f"{seed}/{slot.node}/{slot.use}".encode()).digest()
    start = int.from_bytes(digest[:4], "big") % size
    return (FIRST_PORT + (start + step) % size for step in range(size))
