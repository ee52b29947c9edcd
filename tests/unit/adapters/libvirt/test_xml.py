"""A domain's XML: reviewed as text, parsed back, and safe whatever its fields hold."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.adapters.libvirt.marks import MARK_URI, read_mark
from bootstrap.adapters.libvirt.xml import domain_digest, domain_xml
from bootstrap.model.cluster import Mark
from bootstrap.model.plan import NodePlan
from tests.builders import a_cluster_spec, a_mark, a_plan, an_image

PLAN = a_plan(a_cluster_spec(workers=2))
NODES = {node.name: node for node in PLAN.nodes}
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
@pytest.mark.parametrize("name", ["demo-control-plane", "demo-worker"])
def test_a_domain_as_it_was_reviewed(
    golden: Callable[[str, str], None], name: str, *, emulated: bool
) -> None:
    root = tree(NODES[name], emulated=emulated)
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode") + "\n"
    golden(f"{name}-{'emulated' if emulated else 'kvm'}.xml", text)


@pytest.mark.parametrize("node", PLAN.nodes, ids=lambda node: node.name)
def test_nothing_listens_but_on_loopback(node: NodePlan) -> None:
    """SEC-24, SEC-25: 127.0.0.1 is the only address, and every forward names it."""
    text = ET.tostring(tree(node), encoding="unicode")
    assert set(re.findall(r"\d+\.\d+\.\d+\.\d+", text)) == {"127.0.0.1"}
    assert "::" not in text
    forwards = re.findall(r"hostfwd=([^,\"]*)", text)
    assert len(forwards) == (2 if node.is_control_plane else 1)
    for forward in forwards:
        assert re.fullmatch(r"tcp:127\.0\.0\.1:\d+-:(22|6443)", forward)
    for interface in tree(node).iterfind("devices/interface"):
        assert interface.attrib["type"] == "udp"
        for element in (interface.find("source"), interface.find("source/local")):
            assert element is not None
            assert element.attrib["address"] == "127.0.0.1"


def test_the_domain_is_small() -> None:
    """SEC-23, SEC-24: no screen, USB, shared directory, device of the host or weak confinement."""
    root = tree(CONTROL_PLANE)
    devices = root.find("devices")
    assert devices is not None
    kinds = {child.tag for child in devices}
    assert kinds == {"disk", "controller", "interface", "serial", "rng", "memballoon"}
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
    assert root.findtext("name") == WORKER.name
    assert root.findtext("uuid") == str(WORKER.uuid)
    arguments = [item.attrib["value"] for item in root.iterfind(QEMU_ARGUMENT)]
    assert f"mac={WORKER.uplink_mac}," in arguments[3]


def test_both_ends_of_a_cable_name_each_other() -> None:
    def ends(node: NodePlan) -> set[tuple[str, str]]:
        found = set()
        for source in tree(node).iterfind("devices/interface/source"):
            local = source.find("local")
            assert local is not None
            found.add((local.attrib["port"], source.attrib["port"]))
        return found

    workers = ends(NODES["demo-worker"]) | ends(NODES["demo-worker2"])
    assert ends(CONTROL_PLANE) == {(remote, local) for local, remote in workers}


def shape(element: ET.Element) -> object:
    return (element.tag, sorted(element.attrib), [shape(child) for child in element])


@given(name=xml_text, place=xml_text, fact=xml_text, created=xml_text)
def test_text_in_fields_stays_text(name: str, place: str, fact: str, created: str) -> None:
    """H-03, M14, G-10."""
    hostile = replace(WORKER, name=name, directory=Path("/") / place.replace("\n", ""))
    mark = a_mark(PLAN, hostile, node=name, facts={"fact": fact}, created=created)
    plain = a_mark(PLAN, WORKER, facts={"fact": "x"})
    # A cable is found by its node's name, so this one looks like the other end's.
    root = tree(hostile, mark=mark, place="/" + place.replace("\n", ""))
    assert shape(root) == shape(tree(WORKER, mark=plain))
    assert root.findtext("name") == name
    sources = [source.attrib["file"] for source in root.iterfind("devices/disk/source")]
    assert sources == [str(hostile.root_volume), str(hostile.seed_volume)]
    (element,) = root.iterfind(f"metadata/{{{MARK_URI}}}node")
    assert read_mark(ET.tostring(element, encoding="unicode"))[0] == mark


def test_the_digest_tells_whether_the_domain_is_as_planned() -> None:
    image = an_image()

    def digest(node: NodePlan, *, emulated: bool = True) -> str:
        return domain_digest(node, image=image, emulated=emulated)

    same = digest(WORKER)
    text = domain_xml(WORKER, mark=a_mark(PLAN, WORKER), image=image, emulated=True)
    assert f'digest="{same}"' in text
    assert digest(replace(WORKER, labels={"a": "b"})) == same
    assert digest(WORKER, emulated=False) != same
    for change in ({"memory_mib": 1}, {"cpus": 9}, {"ssh_port": 1}, {"links": ()}):
        assert digest(replace(WORKER, **change)) != same
