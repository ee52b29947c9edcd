"""A domain's XML: reviewed as text, parsed back, and safe whatever its fields hold."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.adapters.libvirt.marks import MARK_URI, read_mark
from bootstrap.adapters.libvirt.switch import switch_digest, switch_xml
from bootstrap.adapters.libvirt.xml import domain_digest, domain_xml
from bootstrap.model.cluster import Mark
from bootstrap.model.plan import ClusterPlan, NodePlan, SwitchPlan
from tests.builders import a_cluster_spec, a_mark, a_plan, a_switch_mark, an_image

PLAN = a_plan(a_cluster_spec(workers=2))
SYSTEM_PLAN = a_plan(a_cluster_spec(workers=2), uri="qemu:///system")
NODES = {node.name: node for node in PLAN.nodes}
both_plans = pytest.mark.parametrize("plan", [PLAN, SYSTEM_PLAN], ids=["sockets", "udp"])
CONTROL_PLANE, WORKER = PLAN.nodes[0], PLAN.nodes[1]
QEMU_ARGUMENT = "{http://libvirt.org/schemas/domain/qemu/1.0}commandline/*"
#: All that XML can hold; a carriage return is read back as a line's end.
xml_text = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
    | st.just("\n")
) | st.sampled_from(["</name><devices/>", "<!--", "]]>", "&amp;", "'\"", "a,b", "{{x}}", "%s"])


def tree(
    node: NodePlan, *, mark: Mark | None = None, emulated: bool = True, place: str = "/images"
) -> ET.Element:
    image = an_image(Path(place))
    mark = mark or a_mark(PLAN, node)
    text = domain_xml(node, mark=mark, image=image, emulated=emulated)
    return ET.fromstring(text)  # noqa: S314 - our own text


@pytest.mark.parametrize("emulated", [True, False])
@pytest.mark.parametrize("name", ["control-plane", "worker"])
def test_a_domain_as_it_was_reviewed(
    golden: Callable[[str, str], None], name: str, *, emulated: bool
) -> None:
    root = tree(NODES[name], emulated=emulated)
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode") + "\n"
    golden(f"demo-{name}-{'emulated' if emulated else 'kvm'}.xml", text)


def switch_tree(switch: SwitchPlan, *, mark: Mark | None = None) -> ET.Element:
    text = switch_xml(switch, mark=mark or a_switch_mark(PLAN))
    return ET.fromstring(text)  # noqa: S314 - our own text


@both_plans
def test_a_switch_as_it_was_reviewed(golden: Callable[[str, str], None], plan: ClusterPlan) -> None:
    root = switch_tree(plan.switch)
    ET.indent(root)
    kind = "sockets" if plan is PLAN else "udp"
    golden(f"demo-switch-{kind}.xml", ET.tostring(root, encoding="unicode") + "\n")


@pytest.mark.parametrize("node", PLAN.nodes + SYSTEM_PLAN.nodes, ids=lambda node: node.name)
def test_nothing_listens_but_on_loopback(node: NodePlan) -> None:
    """SEC-24, SEC-25: 127.0.0.1 is the only address, and every forward names it."""
    text = ET.tostring(tree(node), encoding="unicode")
    assert set(re.findall(r"\d+\.\d+\.\d+\.\d+", text)) == {"127.0.0.1"}
    assert "::" not in text
    forwards = re.findall(r"hostfwd=([^,\"]*)", text)
    assert len(forwards) == (2 if node.is_control_plane else 1)
    for forward in forwards:
        assert re.fullmatch(r"tcp:127\.0\.0\.1:\d+-:(22|6443)", forward)


def test_the_domain_is_small() -> None:
    """SEC-23, SEC-24: no screen, USB, shared directory, device of the host or weak confinement."""
    root = tree(CONTROL_PLANE)
    devices = root.find("devices")
    assert devices is not None
    kinds = {child.tag for child in devices}
    assert kinds == {"disk", "controller", "serial", "rng", "memballoon"}
    assert [item.attrib for item in devices.iterfind("controller")] == [
        {"type": "usb", "model": "none"}
    ]
    assert root.find("seclabel") is None


def test_the_formats_of_all_disks_are_told() -> None:
    """I-09, L-05."""
    root = tree(WORKER)
    chain = [
        (driver.attrib["type"], source.attrib["file"])
        for driver, source in zip(
            root.iterfind("devices/disk/driver"), root.iterfind("devices/disk/source"), strict=True
        )
    ]
    assert chain == [("qcow2", str(WORKER.root_volume)), ("raw", str(WORKER.seed_volume))]
    backing = root.find("devices/disk/backingStore")
    assert backing is not None
    assert [(child.tag, child.attrib) for child in backing] == [
        ("format", {"type": "raw"}),
        ("source", {"file": "/images/disk.raw"}),
        ("backingStore", {}),
    ]


def test_only_an_emulated_disk_may_lose_what_was_flushed() -> None:
    """D-06."""
    caches = [
        [disk.attrib.get("cache") for disk in tree(WORKER, emulated=emulated).iter("driver")]
        for emulated in (True, False)
    ]
    assert caches == [["unsafe", None], [None, None]]


def test_the_identity_is_the_plans() -> None:
    """N-06."""
    root = tree(WORKER)
    assert root.findtext("name") == WORKER.domain_name == "demo-worker"
    assert root.findtext("uuid") == str(WORKER.uuid)
    arguments = [item.attrib["value"] for item in root.iterfind(QEMU_ARGUMENT)]
    assert f"mac={WORKER.uplink_mac}," in arguments[3]
    assert f"mac={WORKER.cluster_mac}," in arguments[7]


def backends(root: ET.Element) -> list[dict[str, Any]]:
    words = [item.attrib["value"] for item in root.iterfind(QEMU_ARGUMENT)]
    return [json.loads(word) for word in words if word.startswith("{")]


@both_plans
def test_both_ends_of_a_cable_name_each_other_and_the_switch_joins_them(plan: ClusterPlan) -> None:
    ends = {}
    for node in plan.nodes:
        (cable,) = backends(tree(node))
        ends[node.name] = (cable["local"], cable["remote"])
    ports = backends(switch_tree(plan.switch))
    found = {
        port["id"].removeprefix("cable-"): (port["remote"], port["local"])
        for port in ports
        if port["type"] == "dgram"
    }
    assert found == ends
    hub = [port for port in ports if port["type"] == "hubport"]
    assert [port["netdev"] for port in hub] == [f"cable-{name}" for name in ends]
    assert {port["hubid"] for port in hub} == {0}


def test_every_device_has_a_place_of_its_own() -> None:
    """What a guest finds on its bus never depends on what else there is."""
    root = tree(CONTROL_PLANE)
    places = [item.attrib["slot"] for item in root.iterfind("devices/*/address")]
    words = [item.attrib["value"] for item in root.iterfind(QEMU_ARGUMENT)]
    places += [word.rpartition("addr=")[2] for word in words if "virtio-net-pci" in word]
    assert len(places) == len(set(places)) == 5
    on_the_bus = {"disk", "rng"}
    devices = root.find("devices")
    assert devices is not None
    for device in devices:
        assert (device.find("address") is not None) is (device.tag in on_the_bus)


def test_the_switch_has_no_guest() -> None:
    root = switch_tree(PLAN.switch)
    devices = root.find("devices")
    assert devices is not None
    assert [(child.tag, child.attrib["model"]) for child in devices] == [
        ("controller", "none"),
        ("memballoon", "none"),
    ]
    assert root.find("os/kernel") is None


def test_a_new_cable_changes_the_switch_and_nothing_else() -> None:
    grown = a_plan(a_cluster_spec(workers=3))
    for node, same in zip(PLAN.nodes, grown.nodes, strict=False):
        assert ET.tostring(tree(node)) == ET.tostring(tree(same))
    assert switch_digest(PLAN.switch) != switch_digest(grown.switch)
    assert backends(switch_tree(grown.switch))[:6] == backends(switch_tree(PLAN.switch))


def shape(element: ET.Element) -> object:
    return (element.tag, sorted(element.attrib), [shape(child) for child in element])


@given(name=xml_text, place=xml_text, fact=xml_text, created=xml_text)
def test_text_in_fields_stays_text(name: str, place: str, fact: str, created: str) -> None:
    """H-03, M14, G-10."""
    hostile = replace(WORKER, domain_name=name, directory=Path("/") / place.replace("\n", ""))
    mark = a_mark(PLAN, hostile, node=name, facts={"fact": fact}, created=created)
    plain = a_mark(PLAN, WORKER, facts={"fact": "x"})
    root = tree(hostile, mark=mark, place="/" + place.replace("\n", ""))
    assert shape(root) == shape(tree(WORKER, mark=plain))
    assert root.findtext("name") == name
    sources = [source.attrib["file"] for source in root.iterfind("devices/disk/source")]
    assert sources == [str(hostile.root_volume), str(hostile.seed_volume)]
    (element,) = root.iterfind(f"metadata/{{{MARK_URI}}}node")
    assert read_mark(ET.tostring(element, encoding="unicode"))[0] == mark


@given(name=xml_text, place=xml_text)
def test_text_in_a_switch_stays_text(name: str, place: str) -> None:
    """H-03: a path is quoted for JSON, and JSON for XML."""
    place = "/" + place.replace("\n", "")
    cable = replace(WORKER.cable, node_end=Path(place), switch_end=Path(place + "2"))
    hostile = replace(PLAN.switch, domain_name=name, cables=(cable,))
    root = switch_tree(hostile, mark=a_switch_mark(PLAN, node=name))
    assert root.findtext("name") == name
    end, _ = backends(root)
    assert (end["remote"]["path"], end["local"]["path"]) == (
        str(cable.node_end),
        str(cable.switch_end),
    )


def test_the_digest_tells_whether_the_domain_is_as_planned() -> None:
    image = an_image()

    def digest(node: NodePlan, *, emulated: bool = True) -> str:
        return domain_digest(node, image=image, emulated=emulated)

    same = digest(WORKER)
    text = domain_xml(WORKER, mark=a_mark(PLAN, WORKER), image=image, emulated=True)
    assert f'digest="{same}"' in text
    assert digest(replace(WORKER, labels={"a": "b"})) == same
    assert digest(WORKER, emulated=False) != same
    for change in ({"memory_mib": 1}, {"cpus": 9}, {"ssh_port": 1}, {"cable": CONTROL_PLANE.cable}):
        assert digest(replace(WORKER, **change)) != same
