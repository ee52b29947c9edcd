"""Identities follow from what they are of, and from nothing else."""

import re
import uuid

import pytest

from bootstrap.model.identity import Identity, mac_of
from bootstrap.model.names import ClusterName, node_name
from bootstrap.model.spec import NodeRole
from tests.builders import INSTALL, OTHER_INSTALL

DEMO = Identity(INSTALL, ClusterName("demo"))


def test_the_same_thing_has_the_same_identity_on_every_run() -> None:
    """C-04, N-04: these values may never change; they are those of existing clusters."""
    assert DEMO.uuid_of("domain", "demo-worker") == uuid.UUID(
        "1b174a24-7ea6-5e81-8acf-9ad5dd442854"
    )
    assert mac_of("uplink", "worker") == "52:54:4f:c6:b2:0e"


@pytest.mark.parametrize(
    "other",
    [
        Identity(OTHER_INSTALL, ClusterName("demo")),
        Identity(INSTALL, ClusterName("demo2")),
    ],
)
def test_another_install_or_cluster_has_others(other: Identity) -> None:
    """H-14, G-07."""
    assert other.uuid_of("domain", "x") != DEMO.uuid_of("domain", "x")


def test_kinds_and_names_are_told_apart() -> None:
    found = {DEMO.uuid_of(kind, name) for kind in ("a", "b") for name in ("a", "b")}
    assert len(found) == 4


def test_a_mac_is_unicast_and_locally_administered() -> None:
    for number in range(100):
        mac = mac_of("uplink", f"node{number}")
        assert re.fullmatch(r"52:54(:[0-9a-f]{2}){4}", mac)
        first = int(mac[:2], 16)
        assert (first & 1, first & 2) == (0, 2)


def test_all_nodes_of_the_largest_cluster_have_macs_of_their_own() -> None:
    """N-04: a cluster's network is its own, so other clusters' nodes may have the same."""
    names = [node_name(role, index) for role in NodeRole for index in range(100)]
    macs = {mac_of(kind, name) for kind in ("uplink", "cluster") for name in names}
    assert len(macs) == 2 * len(names)
