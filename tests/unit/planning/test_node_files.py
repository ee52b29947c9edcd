"""The files of a node, as text that was reviewed and as what their readers make of it."""

import configparser
import json
import re
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Network

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.model.files import NodeFile
from bootstrap.model.plan import Acceleration, ClusterPlan, NodePlan
from bootstrap.model.spec import SecurityProfile
from bootstrap.planning.node_files import (
    INIT_CONFIG,
    certificate_names,
    join_config,
    node_files,
    seed_files,
)
from tests.builders import a_cluster_spec, a_plan
from tests.fakes.trust import FakeTrust

CERTIFICATES = FakeTrust().certificates()
ENCRYPTION_KEY = FakeTrust().encryption_key()
TOKEN, CA_HASH = "abcdef.0123456789abcdef", f"sha256:{7:064x}"
both_kinds = pytest.mark.parametrize("acceleration", list(Acceleration))
subnets = st.integers(0, 255).map(lambda number: IPv4Network(f"10.{number}.0.0/16"))


def files_of(plan: ClusterPlan, node: NodePlan) -> dict[str, NodeFile]:
    files = node_files(plan, node, CERTIFICATES, encryption_key=ENCRYPTION_KEY)
    return {file.path: file for file in files}


def kubeadm(plan: ClusterPlan) -> dict[str, dict[str, object]]:
    """Return the documents of kubeadm's configuration by their kind."""
    text = files_of(plan, plan.initial_control_plane)[INIT_CONFIG].text
    return {document["kind"]: document for document in yaml.safe_load_all(text)}


def joined(plan: ClusterPlan, node: NodePlan) -> dict[str, object]:
    document: dict[str, object] = yaml.safe_load(
        join_config(plan, node, token=TOKEN, ca_hash=CA_HASH)
    )
    return document


@both_kinds
@pytest.mark.parametrize("name", ["control-plane", "worker"])
def test_the_files_of_a_node(
    golden: Callable[[str, str], None], name: str, acceleration: Acceleration
) -> None:
    plan = a_plan(a_cluster_spec(workers=2, labels={"disk": "fast"}), acceleration=acceleration)
    (node,) = (node for node in plan.nodes if node.name == name)
    files = node_files(plan, node, CERTIFICATES)
    text = "".join(f"=== {file.path} {file.mode:o}\n{file.text}" for file in files)
    if not node.is_control_plane:
        text += f"=== join\n{join_config(plan, node, token=TOKEN, ca_hash=CA_HASH)}"
    golden(f"demo-{name}-{acceleration.value}.txt", text)


@both_kinds
def test_kubeadms_documents_are_read_back(acceleration: Acceleration) -> None:
    documents = kubeadm(a_plan(acceleration=acceleration))
    assert set(documents) == {
        "InitConfiguration",
        "ClusterConfiguration",
        "KubeletConfiguration",
        "KubeProxyConfiguration",
    }
    assert documents["InitConfiguration"]["apiVersion"] == "kubeadm.k8s.io/v1beta4"


@both_kinds
def test_the_certificate_names_every_endpoint(acceleration: Acceleration) -> None:
    """K-11: the one that nodes use and the one that the user gets."""
    plan = a_plan(acceleration=acceleration)
    names = kubeadm(plan)["ClusterConfiguration"]["apiServer"]["certSANs"]  # type: ignore[index]
    assert plan.endpoint.rpartition(":")[0] in names
    assert plan.server.removeprefix("https://").rpartition(":")[0] in names
    assert names == certificate_names(plan, plan.initial_control_plane)
    assert kubeadm(plan)["ClusterConfiguration"]["controlPlaneEndpoint"] == plan.endpoint


def test_the_node_address_is_always_said() -> None:
    """N-08: no component guesses it from the first NIC."""
    plan = a_plan()
    init = kubeadm(plan)["InitConfiguration"]
    address = str(plan.initial_control_plane.address)
    assert init["localAPIEndpoint"] == {"advertiseAddress": address, "bindPort": 6443}
    for registration, node in (
        (init["nodeRegistration"], plan.initial_control_plane),
        (joined(plan, plan.workers[0])["nodeRegistration"], plan.workers[0]),
    ):
        arguments = registration["kubeletExtraArgs"]  # type: ignore[index]
        assert {"name": "node-ip", "value": str(node.address)} in arguments


@given(pods=subnets, services=subnets)
def test_all_readers_get_the_same_ranges(pods: IPv4Network, services: IPv4Network) -> None:
    """CN-03."""
    plan = a_plan(a_cluster_spec(workers=2, pod_subnet=pods, service_subnet=services))
    networking = kubeadm(plan)["ClusterConfiguration"]["networking"]
    assert networking == {
        "podSubnet": str(pods),
        "serviceSubnet": str(services),
        "dnsDomain": "cluster.local",
    }
    for node in plan.nodes:
        files = files_of(plan, node)
        conflist = json.loads(files["/etc/cni/net.d/10-bridge.conflist"].text)
        ((given_range,),) = conflist["plugins"][0]["ipam"]["ranges"]
        assert given_range == {"subnet": str(node.pod_subnet)}
        assert node.pod_subnet.subnet_of(pods)
        assert f"ip saddr {pods} " in files["/etc/nftables.conf"].text


def unit_of(plan: ClusterPlan, node: NodePlan) -> configparser.ConfigParser:
    """Read a node's unit of the cluster network as systemd does, but for repeated keys."""
    unit = configparser.ConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(files_of(plan, node)["/etc/systemd/network/40-cluster.network"].text)
    return unit


def test_all_pods_are_on_the_cluster_network_and_each_node_answers_for_its_own() -> None:
    plan = a_plan(a_cluster_spec(workers=3))
    for node in plan.nodes:
        unit = unit_of(plan, node)
        assert dict(unit["Route"]) == {
            "Destination": str(plan.spec.networking.pod_subnet),
            "Scope": "link",
            "PreferredSource": str(node.address),
        }
        assert unit["Network"]["IPv4ProxyARP"] == "yes"


def test_only_the_control_plane_has_the_endpoint_beside_its_own_address() -> None:
    plan = a_plan()
    for node in plan.nodes:
        text = files_of(plan, node)["/etc/systemd/network/40-cluster.network"].text
        wanted = [f"{node.address}/24"]
        wanted += [f"{plan.endpoint_address}/32"] if node.is_control_plane else []
        assert re.findall(r"^Address=(.+)$", text, re.MULTILINE) == wanted


def test_nics_are_matched_by_their_macs_alone() -> None:
    """A name depends on the order in which the kernel finds the NICs."""
    plan = a_plan()
    for node in plan.nodes:
        seed = yaml.safe_load(seed_files(node, FakeTrust().node_keys(node.name))["user-data"])
        (uplink,) = seed["write_files"]
        texts = [file.text for path, file in files_of(plan, node).items() if "network/" in path]
        matches = [re.findall(r"\[Match\]\n(.*)\n\n", text) for text in [*texts, uplink["content"]]]
        assert matches == [[f"MACAddress={node.cluster_mac}"], [f"MACAddress={node.uplink_mac}"]]
        # systemd takes the first file that matches, and this is what cloud-init calls its own.
        assert uplink["path"] < "/etc/systemd/network/10-cloud-init-eth0.network"


@pytest.mark.parametrize("profile", list(SecurityProfile))
def test_the_files_of_a_node_depend_on_no_other_node(profile: SecurityProfile) -> None:
    small = a_plan(a_cluster_spec(workers=1, profile=profile))
    large = a_plan(a_cluster_spec(workers=3, profile=profile))
    for node, same in zip(small.nodes, large.nodes, strict=False):
        assert files_of(small, node) == files_of(large, same)


def test_nothing_inside_a_cluster_knows_its_name() -> None:
    one, other = (a_plan(a_cluster_spec(name)) for name in ("demo", "zebra"))
    for node, twin in zip(one.nodes, other.nodes, strict=True):
        same = replace(twin, cluster_mac=node.cluster_mac, uplink_mac=node.uplink_mac)
        keys = FakeTrust().node_keys(node.name)
        assert files_of(one, node) == files_of(other, same)
        assert joined(one, node) == joined(other, same)
        assert seed_files(node, keys) == seed_files(replace(same, uuid=node.uuid), keys)


def test_coredns_does_not_ask_itself() -> None:
    """CN-05."""
    kubelet = kubeadm(a_plan())["KubeletConfiguration"]
    assert kubelet["resolvConf"] == "/run/systemd/resolve/resolv.conf"


@both_kinds
def test_joining_pins_the_authority(acceleration: Acceleration) -> None:
    """J-08."""
    plan = a_plan(acceleration=acceleration)
    text = join_config(plan, plan.workers[0], token=TOKEN, ca_hash=CA_HASH)
    discovery = yaml.safe_load(text)["discovery"]
    assert discovery == {
        "bootstrapToken": {
            "apiServerEndpoint": plan.endpoint,
            "token": TOKEN,
            "caCertHashes": [CA_HASH],
        },
        "tlsBootstrapToken": TOKEN,
    }
    assert "unsafeSkipCAVerification" not in text


def test_labels_reach_the_kubelet_in_one_argument() -> None:
    plan = a_plan(a_cluster_spec(labels={"b": "2", "a/x": ""}))
    registration = joined(plan, plan.workers[0])["nodeRegistration"]
    arguments = registration["kubeletExtraArgs"]  # type: ignore[index]
    assert {"name": "node-labels", "value": "a/x=,b=2"} in arguments
    assert "node-labels" not in str(kubeadm(plan)["InitConfiguration"])


def test_certificates_go_to_control_planes_only_and_private() -> None:
    """H-15."""
    plan = a_plan()
    files = files_of(plan, plan.initial_control_plane)
    for name, text in CERTIFICATES.items():
        file = files[f"/etc/kubernetes/pki/{name}"]
        assert (file.text, file.mode) == (text, 0o600)
    assert files[INIT_CONFIG].mode == 0o600
    worker = files_of(plan, plan.workers[0])
    assert not [path for path in worker if path.startswith("/etc/kubernetes")]


def test_what_only_emulation_needs_is_not_there_with_kvm() -> None:
    kvm, emulated = a_plan(acceleration=Acceleration.KVM), a_plan()
    patches = [path for path in files_of(emulated, emulated.nodes[0]) if "patches" in path]
    assert len(patches) == 4
    assert not [path for path in files_of(kvm, kvm.nodes[0]) if "patches" in path]
    text = files_of(kvm, kvm.nodes[0])[INIT_CONFIG].text
    for word in ("heartbeat-interval", "leader-elect", "evictionHard"):
        assert word not in text
        assert word in files_of(emulated, emulated.nodes[0])[INIT_CONFIG].text


@both_kinds
def test_etcd_syncs_what_it_acknowledges(acceleration: Acceleration) -> None:
    """D-06."""
    plan = a_plan(acceleration=acceleration)
    assert "fsync" not in files_of(plan, plan.nodes[0])[INIT_CONFIG].text


@both_kinds
def test_no_api_or_admission_plugin_or_feature_gate_is_switched_off(
    acceleration: Acceleration,
) -> None:
    """Emulation is slower, never different: conformance specs need what is on by default."""
    plan = a_plan(acceleration=acceleration)
    text = files_of(plan, plan.nodes[0])[INIT_CONFIG].text
    for word in ("disable-admission", "priority-and-fairness", "feature-gates", "runtime-config"):
        assert word not in text


@both_kinds
def test_patches_are_whole_documents(acceleration: Acceleration) -> None:
    plan = a_plan(acceleration=acceleration)
    for path, file in files_of(plan, plan.nodes[0]).items():
        if "patches" in path:
            document = yaml.safe_load(file.text)
            component = path.rpartition("/")[2].removesuffix("+strategic.yaml")
            assert document["metadata"]["name"] == component
            assert [item["name"] for item in document["spec"]["containers"]] == [component]


def test_every_node_knows_itself_by_name() -> None:
    plan = a_plan(a_cluster_spec(workers=2))
    for node in plan.nodes:
        text = files_of(plan, node)["/etc/hosts"].text
        assert text.splitlines()[-1] == f"{node.address} {node.name}"
