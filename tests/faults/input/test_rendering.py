"""G-10, G-11, H-03, H-08: whatever a valid file says, what is rendered has the same shape.

Every document is parsed, held against its schema, and compared with that of a plain cluster
of as many nodes: values differ, and nothing else. Each text is found again as it was.
"""

import json
import os
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import libvirt
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.adapters.libvirt.marks import MARK_URI, read_mark
from bootstrap.adapters.libvirt.xml import domain_xml
from bootstrap.config.flags import Flags
from bootstrap.config.load import load_spec
from bootstrap.errors import ConfigError
from bootstrap.model.keys import NodeKeys
from bootstrap.model.names import CLUSTER_NAME_PATTERN
from bootstrap.model.plan import Acceleration, ClusterPlan, NodePlan
from bootstrap.model.spec import ClusterSpec, NodeRole
from bootstrap.planning.node_files import INIT_CONFIG, join_config, node_files, seed_files
from bootstrap.workflow.shape import domain_facts
from tests import scale
from tests.builders import a_mark, a_plan, an_image

SCHEMA = Path("/usr/share/libvirt/schemas/domain.rng")
SCHEMA_TRIALS = scale.trials(ci=3, long=200)
KUBEADM_TRIALS = scale.trials(ci=5, long=500)
NODE_FILES = "/etc/cni/net.d/10-bridge.conflist"
TOKEN, CA_HASH = "abcdef.0123456789abcdef", f"sha256:{7:064x}"
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

names = st.from_regex(CLUSTER_NAME_PATTERN.strip("^$"), fullmatch=True) | st.sampled_from(
    ["no", "y", "null", "true", "e1", "demo", "a" * 40, "x-1"]
)
words = st.from_regex(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,20}[A-Za-z0-9])?", fullmatch=True)
traps = st.sampled_from(["1.30", "no", "null", "0x1F", "1e3", "017", "true", "2026-01-01", "1_000"])
labels = st.dictionaries(
    st.builds(lambda start, key: start + key, st.sampled_from(["", "example.com/"]), words),
    st.just("") | words | traps,
    max_size=4,
)
#: Paths that a user's home or BOOTSTRAP_HOME may have; libvirt itself refuses control codes.
places = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff/"),
    min_size=1,
    max_size=20,
) | st.sampled_from(["a b", "a'b", 'a"b', "</source>", "&amp;", "a,b", "%s", "{{ x }}", "]]>", "é"])
#: An OpenSSH key has line ends; a comment could be anything.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.sampled_from(
    ["x\nusers: []", "#cloud-config", "{{ 1 }}", "- a", "x: y", "\x7f\x85\u2028", "'\"\\", "\ufeff"]
)


@st.composite
def specs(draw: st.DrawFn) -> ClusterSpec:
    """Return a spec as the loader makes it of a valid file."""
    # The first /12 is QEMU's own.
    chunk, size = draw(st.integers(1, 15)), st.integers(512, 65536)
    group = {
        "count": draw(st.integers(0, 3)),
        "memory": f"{draw(size)}MiB",
        "cpus": draw(st.integers(1, 128)),
        "disk": f"{draw(st.integers(4, 1024))}GiB",
        "labels": draw(labels),
    }
    control_plane = {"memory": f"{draw(size) + 1700}MiB", "cpus": draw(st.integers(2, 128))}
    document = {
        "apiVersion": "bootstrap.dev/v1alpha1",
        "kind": "Cluster",
        "metadata": {"name": draw(names)},
        "nodes": [
            {**control_plane, "role": "control-plane", "labels": draw(labels)},
            {**group, "role": "worker"},
        ],
        "networking": {
            "podSubnet": f"10.{16 * chunk}.0.0/{draw(st.integers(13, 16))}",
            "serviceSubnet": f"172.{16 + chunk}.0.0/{draw(st.integers(16, 28))}",
            "nodeSubnet": f"192.168.{draw(st.integers(0, 255))}.0/{draw(st.integers(24, 25))}",
            "apiServerPort": draw(st.integers(1024, 65535)),
        },
    }
    place = Path(os.environ["HOME"]) / "cluster.yaml"
    place.write_text(json.dumps(document))
    try:
        return load_spec(place, Flags())
    except ConfigError as error:
        raise AssertionError(error.details) from error


def shape(value: object) -> object:
    """Return a document without its values."""
    match value:
        case ET.Element():
            return (value.tag, sorted(value.attrib), [shape(child) for child in value])
        case dict():
            return {key: shape(item) for key, item in value.items()}
        case list():
            return [shape(item) for item in value]
        case _:
            return type(value).__name__


def plain(spec: ClusterSpec, acceleration: Acceleration) -> ClusterPlan:
    """Plan a cluster of the same size in which nothing is remarkable."""
    groups = tuple(
        replace(group, cpus=2, memory_mib=2048, disk_gib=20, labels=dict.fromkeys("a", "b"))
        if group.labels
        else replace(group, cpus=2, memory_mib=2048, disk_gib=20)
        for group in spec.node_groups
    )
    return a_plan(replace(load_spec(None, Flags()), node_groups=groups), acceleration=acceleration)


def pairs(spec: ClusterSpec, acceleration: Acceleration) -> Iterator[tuple[Any, ...]]:
    """Return each node that differs from others, beside its plain twin."""
    plan, twin = a_plan(spec, acceleration=acceleration), plain(spec, acceleration)
    for node, other in list(zip(plan.nodes, twin.nodes, strict=True))[:2]:
        yield plan, node, twin, other


def xml(plan: ClusterPlan, node: NodePlan, place: str) -> str:
    moved = replace(node, directory=Path("/volumes") / place / node.name)
    mark = a_mark(plan, moved, facts={**domain_facts(plan, moved), "image": place})
    image = an_image(Path("/images") / place)
    return domain_xml(moved, mark=mark, image=image, emulated=plan.is_emulated)


@pytest.fixture
def define(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Define a domain on libvirt's test driver, which checks it; give what it understood."""
    (tmp_path / "node.xml").write_text("<node/>")
    libvirt.registerErrorHandler(lambda *_: None, None)
    connection = libvirt.open(f"test://{tmp_path}/node.xml")

    def call(text: str) -> str:
        domain = connection.defineXMLFlags(text, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
        described: str = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        domain.undefine()
        return described

    yield call
    connection.close()


accelerations = st.sampled_from(list(Acceleration))


def test_no_value_changes_the_shape_of_a_domain(define: Callable[[str], str]) -> None:
    @scale.fuzzed(ci=1000, long=50_000)
    @given(spec=specs(), acceleration=accelerations, place=places)
    def check(spec: ClusterSpec, acceleration: Acceleration, place: str) -> None:
        for plan, node, twin, other in pairs(spec, acceleration):
            text = xml(plan, node, place)
            root, expected = parsed(text), parsed(xml(twin, other, "plain"))
            assert shape(root) == shape(expected)
            files = [source.attrib["file"] for source in root.iterfind("devices/disk/source")]
            directory = Path("/volumes") / place / node.name
            assert files == [str(directory / "root.qcow2"), str(directory / "seed.iso")]
            (mark,) = root.iterfind(f"metadata/{{{MARK_URI}}}node")
            assert read_mark(ET.tostring(mark, encoding="unicode"))[0].facts["image"] == place
            if place.strip():
                judge_definition(parsed(define(text)), node, directory)

    check()


def judge_definition(root: ET.Element, node: NodePlan, directory: Path) -> None:
    """Hold what libvirt understood against what was planned."""
    assert (root.findtext("name"), root.findtext("uuid")) == (node.domain_name, str(node.uuid))
    assert root.findtext("vcpu") == str(node.cpus)
    assert root.findtext("memory") == str(node.memory_mib * 1024)
    assert len(root.findall("devices/disk")) == 2
    source = root.find("devices/disk/source")
    assert source is not None
    assert source.attrib["file"] == str(directory / "root.qcow2")


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - our own text, or libvirt's


def loaded(text: str) -> list[Any]:
    return list(yaml.load_all(text, Loader=Loader))


def test_no_value_changes_the_shape_of_a_seed() -> None:
    @scale.fuzzed(ci=1000, long=50_000)
    @given(spec=specs(), private=texts, public=texts, authorized=texts)
    def check(spec: ClusterSpec, private: str, public: str, authorized: str) -> None:
        keys = NodeKeys(host_private_key=private, host_public_key=public, authorized_key=authorized)
        some = NodeKeys(host_private_key="a", host_public_key="b", authorized_key="c")
        for _, node, _, other in pairs(spec, Acceleration.KVM):
            seed = seed_files(node, keys)
            expected = seed_files(other, some)
            (user_data,), (meta_data,), (network,) = map(loaded, seed.values())
            assert [shape(loaded(text)) for text in seed.values()] == [
                shape(loaded(text)) for text in expected.values()
            ]
            assert seed["user-data"].startswith("#cloud-config\n")
            (user,) = user_data["users"]
            assert user["ssh_authorized_keys"] == [authorized]
            ssh_keys = {"ed25519_private": private, "ed25519_public": public}
            assert user_data["ssh_keys"] == ssh_keys
            assert meta_data == {"instance-id": str(node.uuid), "local-hostname": node.name}
            uplink = network["ethernets"]["uplink"]
            assert uplink["match"] == {"macaddress": node.uplink_mac}
            # SEC-06: no token, no authority's key.
            assert TOKEN not in str(seed)
            assert "/etc/kubernetes" not in str(expected)

    check()


def test_no_value_changes_the_shape_of_kubeadms_configuration() -> None:
    @scale.fuzzed(ci=1000, long=50_000)
    @given(spec=specs(), acceleration=accelerations)
    def check(spec: ClusterSpec, acceleration: Acceleration) -> None:
        for plan, node, twin, other in pairs(spec, acceleration):
            documents, expected = kubeadm(plan, node), kubeadm(twin, other)
            assert shape(documents) == shape(expected)
            judge_registration(documents[0]["nodeRegistration"], node)
            if node.is_control_plane:
                cluster = documents[1]
                assert cluster["clusterName"] == "kubernetes"
                assert cluster["networking"]["podSubnet"] == str(plan.spec.networking.pod_subnet)
                assert cluster["networking"]["serviceSubnet"] == str(
                    plan.spec.networking.service_subnet
                )
                assert cluster["controlPlaneEndpoint"] == plan.endpoint
            for file in node_files(plan, node, {}):
                if file.path == NODE_FILES:
                    assert json.loads(file.text)["plugins"]

    check()


def judge_registration(registration: Mapping[str, Any], node: NodePlan) -> None:
    arguments = {item["name"]: item["value"] for item in registration["kubeletExtraArgs"]}
    assert (registration["name"], arguments["node-ip"]) == (node.name, str(node.address))
    written = arguments.get("node-labels", "")
    found = dict(item.split("=") for item in written.split(",") if item)
    assert found == dict(node.labels)


def kubeadm(plan: ClusterPlan, node: NodePlan) -> list[Any]:
    return loaded(kubeadm_text(plan, node))


def kubeadm_text(plan: ClusterPlan, node: NodePlan) -> str:
    if not node.is_control_plane:
        return join_config(plan, node, token=TOKEN, ca_hash=CA_HASH)
    return next(file.text for file in node_files(plan, node, {}) if file.path == INIT_CONFIG)


def test_libvirts_own_schema_takes_a_domain(tmp_path: Path) -> None:
    if not SCHEMA.exists() or not shutil.which("xmllint"):
        pytest.skip("libvirt's schemas or xmllint are not installed; VALIDATE is the same schema")

    @scale.fuzzed(ci=SCHEMA_TRIALS, long=SCHEMA_TRIALS)
    @given(spec=specs(), acceleration=accelerations, place=places.filter(str.strip))
    def check(spec: ClusterSpec, acceleration: Acceleration, place: str) -> None:
        for plan, node, _, _ in pairs(spec, acceleration):
            file = tmp_path / "domain.xml"
            file.write_text(xml(plan, node, place))
            ask(["virt-xml-validate", str(file), "domain"])

    check()


def test_kubeadm_itself_takes_its_configuration(tmp_path: Path) -> None:
    program = os.environ.get("BOOTSTRAP_KUBEADM")
    if not program:
        pytest.skip("BOOTSTRAP_KUBEADM does not name a kubeadm")

    @scale.fuzzed(ci=KUBEADM_TRIALS, long=KUBEADM_TRIALS)
    @given(spec=specs(), acceleration=accelerations)
    def check(spec: ClusterSpec, acceleration: Acceleration) -> None:
        for plan, node, _, _ in pairs(spec, acceleration):
            file = tmp_path / "kubeadm.yaml"
            file.write_text(kubeadm_text(plan, node))
            ask([program, "config", "validate", "--config", str(file)])

    check()


def ask(words: list[str]) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr


def test_specs_reach_all_sizes() -> None:
    """The specs above would prove little if most were the default one."""
    seen = set()

    @scale.fuzzed(ci=200, long=200)
    @given(spec=specs())
    def look(spec: ClusterSpec) -> None:
        seen.add((spec.count(NodeRole.WORKER), bool(spec.node_groups[0].labels)))

    look()
    assert {count for count, _ in seen} == {0, 1, 2, 3}
    assert {labelled for _, labelled in seen} == {True, False}
