"""What a security profile adds to the nodes' files."""

from collections.abc import Callable

import pytest
import yaml

from bootstrap.model.files import NodeFile
from bootstrap.model.network import UPLINK_RESOLVER, UPLINK_SUBNET
from bootstrap.model.plan import Acceleration, ClusterPlan, NodePlan
from bootstrap.model.spec import SecurityProfile
from bootstrap.planning.node_files import INIT_CONFIG, node_files
from bootstrap.planning.security import SECURITY_DIRECTORY
from tests.builders import a_cluster_spec, a_plan
from tests.fakes.trust import FakeTrust

TRUST = FakeTrust()
KEY = TRUST.encryption_key()
both_profiles = pytest.mark.parametrize("profile", list(SecurityProfile))
both_kinds = pytest.mark.parametrize("acceleration", list(Acceleration))


def files_of(plan: ClusterPlan, node: NodePlan, key: str | None = KEY) -> dict[str, NodeFile]:
    files = node_files(plan, node, TRUST.certificates(), encryption_key=key)
    return {file.path: file for file in files}


def strict() -> ClusterPlan:
    return a_plan(a_cluster_spec(profile=SecurityProfile.STRICT))


def configuration(plan: ClusterPlan, kind: str) -> dict[str, object]:
    text = files_of(plan, plan.initial_control_plane)[INIT_CONFIG].text
    (found,) = (document for document in yaml.safe_load_all(text) if document["kind"] == kind)
    assert isinstance(found, dict)
    return found


@both_kinds
def test_the_files_that_strict_adds(
    golden: Callable[[str, str], None], acceleration: Acceleration
) -> None:
    spec = a_cluster_spec(profile=SecurityProfile.STRICT)
    plan = a_plan(spec, acceleration=acceleration)
    plain = a_plan(acceleration=acceleration)
    text = ""
    for node, other in zip(plan.nodes, plain.nodes, strict=True):
        unchanged = files_of(plain, other)
        text += "".join(
            f"=== {node.name}:{path} {file.mode:o}\n{file.text}"
            for path, file in files_of(plan, node).items()
            if file != unchanged.get(path)
        )
    golden(f"demo-strict-{acceleration.value}.txt", text)


@both_kinds
@both_profiles
def test_the_kubelet_refuses_anonymous_requests(
    profile: SecurityProfile, acceleration: Acceleration
) -> None:
    """D.6: said by us, so that no default of another version opens it."""
    plan = a_plan(a_cluster_spec(profile=profile), acceleration=acceleration)
    kubelet = configuration(plan, "KubeletConfiguration")
    assert kubelet["authentication"] == {
        "anonymous": {"enabled": False},
        "webhook": {"enabled": True},
    }
    assert kubelet["authorization"] == {"mode": "Webhook"}
    assert kubelet["readOnlyPort"] == 0
    proxy = configuration(plan, "KubeProxyConfiguration")
    assert str(proxy["metricsBindAddress"]).startswith("127.0.0.1:")


def test_what_the_strict_kubelet_wants_of_the_kernel_is_set_before_it_starts() -> None:
    """SEC-37: with protectKernelDefaults a kubelet ends if a value is another one."""
    plan = strict()
    assert configuration(plan, "KubeletConfiguration")["protectKernelDefaults"]
    for node in plan.nodes:
        files = files_of(plan, node)
        unit = files["/etc/systemd/system/kubelet.service.d/20-kernel.conf"].text
        path = unit.split()[-1]
        lines = (line.partition(" = ") for line in files[path].text.splitlines() if "=" in line)
        assert {name: int(value) for name, _, value in lines} == {
            "vm.overcommit_memory": 1,
            "vm.panic_on_oom": 0,
            "kernel.panic": 10,
            "kernel.panic_on_oops": 1,
            "kernel.keys.root_maxkeys": 1000000,
            "kernel.keys.root_maxbytes": 25000000,
        }


@both_profiles
def test_pods_are_kept_from_the_hosts_own_services(profile: SecurityProfile) -> None:
    """H-22: QEMU leads what is sent to the uplink's gateway to the host's 127.0.0.1."""
    plan = a_plan(a_cluster_spec(profile=profile))
    pods = plan.spec.networking.pod_subnet
    rule = f"ip saddr {pods} ip daddr {UPLINK_SUBNET} ip daddr != {UPLINK_RESOLVER} drop"
    for node in plan.nodes:
        assert rule in files_of(plan, node)["/etc/nftables.conf"].text


@both_profiles
@pytest.mark.parametrize("host_access", [True, False])
def test_no_packet_to_a_service_leaves_the_cluster(
    profile: SecurityProfile, *, host_access: bool
) -> None:
    """N-17: nobody translates it before kube-proxy runs, and another host may have the address."""
    plan = a_plan(a_cluster_spec(profile=profile, host_access=host_access))
    for node in plan.nodes:
        rules = files_of(plan, node)["/etc/nftables.conf"].text
        assert rules.count(f"  ip daddr {plan.spec.networking.service_subnet} reject\n") == 2


@both_profiles
def test_pods_reach_the_hosts_own_services_where_the_cluster_file_says_so(
    profile: SecurityProfile,
) -> None:
    """H-22."""
    plan = a_plan(a_cluster_spec(profile=profile, host_access=True))
    for node in plan.nodes:
        rules = files_of(plan, node)["/etc/nftables.conf"].text
        assert "masquerade" in rules
        assert str(UPLINK_SUBNET) not in rules


def test_the_encryption_key_is_on_control_planes_only_and_private() -> None:
    """SEC-36, H-15."""
    plan = strict()
    holders = {
        (node.name, path): file.mode
        for node in plan.nodes
        for path, file in files_of(plan, node).items()
        if KEY in file.text
    }
    encryption = f"{SECURITY_DIRECTORY}/encryption.yaml"
    assert holders == {(plan.initial_control_plane.name, encryption): 0o600}


def test_the_default_profile_needs_no_encryption_key() -> None:
    plan = a_plan()
    assert files_of(plan, plan.nodes[0], None) == files_of(plan, plan.nodes[0], KEY)


@pytest.mark.parametrize("key", [None, ""])
def test_a_strict_control_plane_without_an_encryption_key_is_never_rendered(
    key: str | None,
) -> None:
    with pytest.raises(ValueError, match="no key for the Secrets of cluster 'demo'"):
        files_of(strict(), strict().initial_control_plane, key)


@both_kinds
@both_profiles
def test_what_only_root_reads_only_root_may_read(
    profile: SecurityProfile, acceleration: Acceleration
) -> None:
    """SEC-38: whatever lies under /etc/kubernetes, and CNI's configuration (CIS 1.1.9)."""
    plan = a_plan(a_cluster_spec(profile=profile), acceleration=acceleration)
    for node in plan.nodes:
        for path, file in files_of(plan, node).items():
            if path.startswith(("/etc/kubernetes/", "/etc/cni/")):
                assert file.mode == 0o600, path
            assert file.mode & 0o022 == 0, path
