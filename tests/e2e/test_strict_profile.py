"""A real cluster with the strict profile: what it refuses, seen from outside and inside.

Each check is a row of docs/explanation/security-profiles.md that needs a kubelet or a node's disk;
what needs only an API server is in tests/contract/test_security_profiles.py.
"""

import base64
import json
import os
import secrets
import shlex
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from bootstrap.adapters.directories import Directories
from bootstrap.model.images import CHECK_IMAGE
from bootstrap.model.network import UPLINK_RESOLVER, UPLINK_SUBNET
from tests.e2e.people import Outcome, User

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        os.environ.get("BOOTSTRAP_E2E") != "all",
        reason="a second cluster takes as long as the first; BOOTSTRAP_E2E=all makes it",
    ),
]

Kubectl = Callable[..., str]
TryKubectl = Callable[..., Outcome]
CANARY = f"canary-{secrets.token_hex(8)}"

#: Prints the status of a request without a client certificate, or why there is none.
ASK = """
import ssl, sys, urllib.error, urllib.request
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
for url in sys.argv[1:]:
    try:
        print(urllib.request.urlopen(url, context=context, timeout=60).status)
    except urllib.error.HTTPError as error:
        print(error.code)
    except OSError as error:
        print("refused" if "Errno 111" in str(error) else error)
"""
#: Prints what etcd holds under a key, in base64.
READ_ETCD = """
import base64, json, ssl, sys, urllib.request
pki = "/etc/kubernetes/pki/"
context = ssl.create_default_context(cafile=pki + "etcd/ca.crt")
context.load_cert_chain(pki + "apiserver-etcd-client.crt", pki + "apiserver-etcd-client.key")
key = base64.b64encode(sys.argv[1].encode()).decode()
data = json.dumps({"key": key}).encode()
url = "https://127.0.0.1:2379/v3/kv/range"
answer = urllib.request.urlopen(url, data, context=context, timeout=60)
print(json.load(answer)["kvs"][0]["value"])
"""


@pytest.fixture(scope="module")
def on_node(user: User, cluster: str) -> Callable[..., str]:
    """Run a command as root on a node and give what it printed."""

    def run(node: str, *words: str) -> str:
        return user.succeed("ssh", cluster, node, "--", shlex.join(["sudo", *words]))

    return run


@pytest.fixture(scope="module")
def addresses(user: User, cluster: str) -> list[str]:
    nodes = json.loads(user.succeed("status", cluster, "-o", "json"))["nodes"]
    return [node["address"] for node in nodes]


def test_up_makes_a_verified_strict_cluster(user: User, cluster: str) -> None:
    """Its checks run pods as every user would: no namespace of ours is exempt (SEC-35)."""
    words = ("--workers", "1", "--security-profile", "strict", "-o", "json")
    result = json.loads(user.succeed("up", cluster, *words))
    assert result["verified"]
    assert len(result["nodes"]) == 2


def test_a_kubelet_answers_no_anonymous_request(
    on_node: Callable[..., str], addresses: list[str]
) -> None:
    """SEC-37: asked on the cluster's own network, where the port is open."""
    secure = [f"https://{address}:10250/pods" for address in addresses]
    read_only = [f"http://{address}:10255/pods" for address in addresses]
    seen = on_node("control-plane", "python3", "-c", ASK, *secure, *read_only).split()
    assert seen == ["401", "401", "refused", "refused"]


def test_the_kubelets_run_with_what_the_profile_says(own: Path, kubectl: Kubectl) -> None:
    """SEC-37: as each kubelet itself tells."""
    for node in kubectl(own, "get", "nodes", "-o", "name").split():
        path = f"/api/v1/nodes/{node.removeprefix('node/')}/proxy/configz"
        config = json.loads(kubectl(own, "get", "--raw", path))["kubeletconfig"]
        assert config["authentication"]["anonymous"]["enabled"] is False
        assert config["authorization"]["mode"] == "Webhook"
        assert config.get("readOnlyPort", 0) == 0
        assert config["protectKernelDefaults"] is True
        assert config["seccompDefault"] is True
        assert config["tlsMinVersion"] == "VersionTLS13"
        assert config["rotateCertificates"] is True


def test_the_api_server_gives_no_profiles(own: Path, try_kubectl: TryKubectl) -> None:
    """SEC-33."""
    outcome = try_kubectl(own, "get", "--raw", "/debug/pprof/")
    assert outcome.exit_code != 0
    assert "(NotFound)" in outcome.stderr


def test_an_anonymous_request_may_ask_for_health_and_nothing_else(
    own: Path, directories: Directories, cluster: str
) -> None:
    """SEC-39, and what a node that joins must read."""
    server = yaml.safe_load(own.read_text())["clusters"][0]["cluster"]["server"]
    authority = directories.state / cluster / "ca.crt"
    info = "/api/v1/namespaces/kube-public/configmaps/cluster-info"
    paths = ("/readyz", info, "/version", "/api/v1/namespaces")
    seen = [_status(f"{server}{path}", authority) for path in paths]
    assert seen == [200, 200, 401, 401]


def test_a_privileged_pod_is_refused(own: Path, try_kubectl: TryKubectl) -> None:
    """SEC-35."""
    container = {
        "name": "c",
        "image": CHECK_IMAGE,
        "imagePullPolicy": "Never",
        "securityContext": {"privileged": True},
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "privileged", "namespace": "default"},
        "spec": {"containers": [container]},
    }
    outcome = try_kubectl(own, "create", "-f", "-", stdin=json.dumps(pod))
    assert outcome.exit_code != 0
    assert 'violates PodSecurity "baseline:latest"' in outcome.stderr


@pytest.mark.parametrize("node", ["control-plane", "worker"])
def test_pods_do_not_reach_the_hosts_own_services(node: str, on_node: Callable[..., str]) -> None:
    """H-22: the rule is in force, not only in a file."""
    rules = on_node(node, "nft", "list", "chain", "ip", "bootstrap", "forward")
    assert f"ip daddr {UPLINK_SUBNET} ip daddr != {UPLINK_RESOLVER} drop" in rules


def test_a_secret_lies_encrypted_in_etcd(
    own: Path, kubectl: Kubectl, on_node: Callable[..., str]
) -> None:
    """SEC-36: read past the API server, with etcd's own interface."""
    kubectl(own, "create", "secret", "generic", "canary", f"--from-literal=word={CANARY}")
    key = "/registry/secrets/default/canary"
    stored = base64.b64decode(on_node("control-plane", "python3", "-c", READ_ETCD, key))
    assert stored.startswith(b"k8s:enc:secretbox:v1:key1:")
    assert CANARY.encode() not in stored
    read = kubectl(own, "get", "secret", "canary", "-o", "jsonpath={.data.word}")
    assert base64.b64decode(read).decode() == CANARY


def test_the_audit_log_tells_who_and_what_but_no_secret(on_node: Callable[..., str]) -> None:
    """SEC-34: on the node's disk, after the secret of the test before was made."""
    text = on_node("control-plane", "cat", "/var/log/kubernetes/audit/audit.log")
    # The last line may be half written.
    events = [json.loads(line) for line in text.splitlines()[:-1]]
    assert {event["level"] for event in events} == {"Metadata"}
    made = [
        event
        for event in events
        if (event["verb"], event.get("objectRef", {}).get("name")) == ("create", "canary")
    ]
    assert made
    assert all(event["user"]["username"] for event in made)
    assert CANARY not in text
    assert base64.b64encode(CANARY.encode()).decode() not in text


@pytest.mark.parametrize("node", ["control-plane", "worker"])
def test_what_is_secret_on_a_node_only_root_can_read(
    node: str, on_node: Callable[..., str]
) -> None:
    """SEC-38: everything but certificates and public keys, which are public."""
    places = ["/etc/kubernetes", "/etc/cni/net.d", "/var/lib/kubelet/pki"]
    if node == "control-plane":
        places += ["/var/lib/etcd", "/var/log/kubernetes/audit"]
    public = ["-not", "-name", "*.crt", "-not", "-name", "*.pub"]
    assert on_node(node, "find", *places, "-type", "f", *public, "-perm", "/077") == ""
    if node == "control-plane":
        assert on_node(node, "stat", "-c", "%a %U", "/var/lib/etcd").split() == ["700", "root"]


def test_up_again_keeps_the_key_and_changes_nothing(
    user: User, cluster: str, own: Path, kubectl: Kubectl
) -> None:
    words = ("--security-profile", "strict", "-o", "json")
    assert json.loads(user.succeed("up", cluster, *words))["changed"] == 0
    read = kubectl(own, "get", "secret", "canary", "-o", "jsonpath={.data.word}")
    assert base64.b64decode(read).decode() == CANARY


def test_another_profile_is_refused_with_what_to_type(user: User, cluster: str) -> None:
    outcome = user.run("up", cluster, "--security-profile", "default")
    assert outcome.exit_code == 2
    assert f"bootstrap up {cluster} --security-profile strict" in outcome.stderr


def _status(url: str, authority: Path) -> int:
    context = ssl.create_default_context(cafile=str(authority))
    try:
        with urllib.request.urlopen(url, context=context, timeout=60) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
