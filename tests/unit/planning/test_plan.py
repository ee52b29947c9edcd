"""The plan: pure, complete, and the same on every run."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Network
from itertools import product
from pathlib import Path

import pytest

from bootstrap.model.plan import Acceleration, ClusterPlan
from bootstrap.model.spec import NodeRole
from bootstrap.planning.document import plan_document
from bootstrap.planning.members import members_of
from bootstrap.planning.plan import wanted_slots
from tests.builders import OTHER_INSTALL, a_cluster_spec, a_group, a_plan, a_site

ROOT = Path(__file__).parents[3]
#: Prints everything that is rendered of a cluster.
EVERYTHING = """
import json
from bootstrap.model.spec import SecurityProfile
from tests.builders import *
from bootstrap.planning.document import plan_document
from bootstrap.planning.node_files import node_files, seed_files, join_config
from bootstrap.planning.archive import node_archive
from bootstrap.planning.inventory import inventory
from bootstrap.adapters.libvirt.switch import switch_xml
from bootstrap.adapters.libvirt.xml import domain_xml
from tests.fakes.trust import FakeTrust
labels = {"b": "2", "a": "1", "c": "3"}
plan = a_plan(a_cluster_spec(workers=3, labels=labels, profile=SecurityProfile.STRICT))
trust = FakeTrust()
key = trust.encryption_key()
print(json.dumps(plan_document(plan, exists=["worker"])))
print(json.dumps(inventory(plan)))
for node in plan.nodes:
    print(seed_files(node, trust.node_keys(node.name)))
    files = node_files(plan, node, trust.certificates(), encryption_key=key)
    print(files)
    print(node_archive(files))
    print(join_config(plan, node, token="a.b", ca_hash="sha256:00"))
    print(domain_xml(node, mark=a_mark(plan, node), image=an_image(), emulated=True))
print(switch_xml(plan.switch, mark=a_switch_mark(plan)))
"""


def test_the_document_of_a_plan(golden: Callable[[str, str], None]) -> None:
    plan = a_plan(a_cluster_spec(workers=2, labels={"disk": "fast"}))
    document = plan_document(plan, exists=["control-plane"])
    golden("plan.json", json.dumps(document, indent=2) + "\n")


@pytest.mark.runs_programs
def test_the_same_spec_gives_the_same_bytes_everywhere(tmp_path: Path) -> None:
    """G-29: over hash seeds, locales, time zones, directories and umasks."""
    found = set()
    for seed, locale, zone in product(("0", "1", "4711"), ("C", "C.UTF-8"), ("UTC", "Asia/Tokyo")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale, "TZ": zone}
        environment["PYTHONPATH"] = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
        done = subprocess.run(
            [sys.executable, "-c", EVERYTHING],
            env=environment,
            cwd=tmp_path if seed == "1" else ROOT,
            capture_output=True,
            check=True,
        )
        found.add(done.stdout)
    assert len(found) == 1
    assert len(found.pop()) > 10_000


def identities(plan: ClusterPlan) -> list[object]:
    """List everything that two nodes or two uses may not share."""
    switch = plan.switch
    listed: list[object] = [switch.domain_name, switch.uuid, switch.directory]
    for node in plan.nodes:
        listed += [node.domain_name, node.uuid, node.uplink_mac, node.cluster_mac, node.address]
        listed += [node.pod_subnet, node.directory, node.ssh_port]
        listed += [node.api_port or f"no API on {node.domain_name}"]
        listed += [node.cable.node_end, node.cable.switch_end]
    return listed


both_cables = pytest.mark.parametrize("uri", ["qemu:///session", "qemu:///system"])


@both_cables
@pytest.mark.parametrize("workers", [0, 1, 2, 10, 40])
@pytest.mark.parametrize("name", ["a", "demo", "demo-2", "x" * 40])
def test_no_two_nodes_share_an_identity(workers: int, name: str, uri: str) -> None:
    """N-05, N-06, G-07."""
    listed = identities(a_plan(a_cluster_spec(name, workers=workers), uri=uri))
    assert len(set(listed)) == len(listed)


@both_cables
def test_one_hundred_nodes_are_planned(uri: str) -> None:
    listed = identities(a_plan(a_cluster_spec(workers=99), uri=uri))
    assert len(listed) == 3 + 100 * 11
    assert len(set(listed)) == len(listed)


def test_two_clusters_share_nothing_but_the_inside_of_their_networks() -> None:
    """G-07. What a guest knows of itself is the same in a clone of its cluster."""
    one, other = (a_plan(a_cluster_spec(name, workers=9)) for name in ("demo", "demo-2"))
    inside = {
        item
        for node in one.nodes
        for item in (node.address, node.pod_subnet, node.uplink_mac, node.cluster_mac)
    }
    assert (set(identities(one)) & set(identities(other))) - inside == set()


def test_two_users_share_no_identity() -> None:
    """H-14, G-28."""
    one, other = a_plan(), a_plan(install_id=OTHER_INSTALL)
    assert {node.uuid for node in one.nodes}.isdisjoint(node.uuid for node in other.nodes)


@both_cables
def test_growing_changes_no_node_and_no_cable(uri: str) -> None:
    """N-07."""
    small = a_plan(a_cluster_spec(workers=1), uri=uri)
    large = a_plan(a_cluster_spec(workers=3), uri=uri)
    assert large.nodes[:2] == small.nodes
    assert large.switch.cables[:2] == small.switch.cables


@both_cables
def test_the_switch_has_the_cable_of_every_node(uri: str) -> None:
    plan = a_plan(a_cluster_spec(workers=3), uri=uri)
    assert plan.switch.cables == tuple(node.cable for node in plan.nodes)
    assert [cable.node for cable in plan.switch.cables] == [node.name for node in plan.nodes]


def test_cables_are_sockets_in_a_directory_of_the_cluster() -> None:
    plan = a_plan()
    for cable in plan.switch.cables:
        for end in (cable.node_end, cable.switch_end):
            assert isinstance(end, Path)
            assert end.parent == plan.switch.directory == plan.volume_directory / "switch"
            assert len(end.name) <= 6  # a socket's path may have 107 bytes


def test_a_hole_in_the_names_is_a_plan_like_any_other() -> None:
    whole = a_plan(a_cluster_spec(workers=4))
    names = ["control-plane", "worker", "worker4"]
    assert a_plan(a_cluster_spec(workers=2), existing=names).nodes == (
        *whole.nodes[:2],
        whole.nodes[4],
    )
    grown = a_plan(a_cluster_spec(workers=3), existing=names)
    assert [node.name for node in grown.workers] == ["worker", "worker2", "worker4"]


def test_groups_of_one_role_are_numbered_through() -> None:
    spec = a_cluster_spec(workers=1)
    groups = (a_group(NodeRole.WORKER, 2, memory_mib=4096), *spec.node_groups)
    plan = a_plan(replace(spec, node_groups=groups))
    assert [(node.name, node.memory_mib) for node in plan.nodes] == [
        ("control-plane", 3072),
        ("worker", 4096),
        ("worker2", 4096),
        ("worker3", 2048),
    ]


def test_a_subnet_without_room_is_an_error() -> None:
    with pytest.raises(ValueError, match="no room"):
        a_plan(a_cluster_spec(workers=20, node_subnet=IPv4Network("10.44.0.0/27")))
    with pytest.raises(ValueError, match="no /24"):
        a_plan(a_cluster_spec(workers=20, pod_subnet=IPv4Network("10.244.0.0/20")))


def test_a_plan_says_where_its_api_server_is() -> None:
    plan = a_plan()
    assert plan.endpoint == "10.44.0.10:6443"
    assert plan.endpoint_address not in {node.address for node in plan.nodes}
    assert plan.server == f"https://127.0.0.1:{plan.initial_control_plane.api_port}"
    assert [node.api_port for node in plan.workers] == [None]


def test_emulation_asks_for_patience() -> None:
    assert a_plan(acceleration=Acceleration.EMULATED).patience == 6
    assert a_plan(acceleration=Acceleration.KVM).patience == 1


@pytest.mark.parametrize(
    ("uri", "cable"), [("qemu:///session", ()), ("qemu:///system", ("cable", "switch"))]
)
def test_every_port_that_a_plan_has_was_asked_for(uri: str, cable: tuple[str, ...]) -> None:
    spec = a_cluster_spec(workers=2)
    slots = [(slot.node, slot.use) for slot in wanted_slots(a_site(uri=uri), members_of(spec))]
    assert slots == [
        *(("control-plane", use) for use in ("ssh", "api", *cable)),
        *(("worker", use) for use in ("ssh", *cable)),
        *(("worker2", use) for use in ("ssh", *cable)),
    ]
