"""What each security profile does, asked of the real kubeadm, etcd and API server."""

import base64
import json
import re
import secrets
from pathlib import Path

import pytest
import yaml

from bootstrap.adapters.kubernetes.api import KubernetesClusterApi
from bootstrap.adapters.kubernetes.manifests import (
    namespace_manifest,
    pod_manifest,
    service_manifest,
)
from bootstrap.model.plan import Acceleration
from bootstrap.model.spec import SecurityProfile
from bootstrap.planning.security import AUDIT_DIRECTORY, SECURITY_DIRECTORY
from tests.builders import a_cluster_spec, a_plan
from tests.control_plane import ControlPlane, run, started, write_node

#: A control plane's own places for them.
pytestmark = pytest.mark.shows_secrets("*/pki/*", "*/root/etc/kubernetes/*", "*.conf")
both_profiles = pytest.mark.parametrize("profile", list(SecurityProfile))
both_kinds = pytest.mark.parametrize("acceleration", list(Acceleration))
CANARY = f"canary-{secrets.token_hex(8)}"
TOKEN = "abcdef.0123456789abcdef"
CLUSTER_INFO = "/api/v1/namespaces/kube-public/configmaps/cluster-info"

#: What each profile must show: the evidence of docs/explanation/security-profiles.md.
EXPECTED: dict[SecurityProfile, dict[str, object]] = {
    SecurityProfile.DEFAULT: {
        "profiling (SEC-33)": "NotFound",
        "lines of the audit log (SEC-34)": 0,
        "mode of the audit log (SEC-34)": None,
        "the secret's name in the audit log": False,
        "the secret in the audit log": False,
        "privileged pod (SEC-35)": "created",
        "privileged pod in kube-system (SEC-35)": "created",
        "our check pod": "created",
        "our check pod where restricted is enforced": "created",
        "our Service": "created",
        "our join token, made twice and removed": ["bootstrap-token-abcdef"],
        "prefix of a secret in etcd (SEC-36)": b"k8s",
        "the secret in etcd as plain text (SEC-36)": True,
        "TLS 1.2 at the API server (SEC-37)": True,
        "TLS 1.2 at etcd (SEC-37)": True,
        "anonymous /livez (SEC-39)": 200,
        "anonymous /version (SEC-39)": 200,
        "anonymous cluster-info (SEC-39)": 403,
        "anonymous namespaces": 403,
    },
    SecurityProfile.STRICT: {
        "profiling (SEC-33)": "NotFound",
        "lines of the audit log (SEC-34)": 1,
        "mode of the audit log (SEC-34)": 0o600,
        "the secret's name in the audit log": True,
        "the secret in the audit log": False,
        "privileged pod (SEC-35)": 'violates PodSecurity "baseline:latest"',
        "privileged pod in kube-system (SEC-35)": "created",
        "our check pod": "created",
        "our check pod where restricted is enforced": "created",
        "our Service": "created",
        "our join token, made twice and removed": ["bootstrap-token-abcdef"],
        "prefix of a secret in etcd (SEC-36)": b"k8s:enc:secretbox:v1:key1:",
        "the secret in etcd as plain text (SEC-36)": False,
        "TLS 1.2 at the API server (SEC-37)": False,
        "TLS 1.2 at etcd (SEC-37)": False,
        "anonymous /livez (SEC-39)": 200,
        # 401 is no user at all, 403 is "anonymous", to which a role may allow something.
        "anonymous /version (SEC-39)": 401,
        "anonymous cluster-info (SEC-39)": 403,
        "anonymous namespaces": 401,
    },
}


@both_kinds
@both_profiles
def test_kubeadm_takes_the_configuration(
    tmp_path: Path, profile: SecurityProfile, acceleration: Acceleration
) -> None:
    """K-05: kubeadm decodes strictly, kubelet's and kube-proxy's documents as well."""
    node = write_node(a_plan(a_cluster_spec(profile=profile), acceleration=acceleration), tmp_path)
    said = run("kubeadm", "config", "validate", "--config", node.config)
    assert "warning" not in said.lower(), said


@both_kinds
@both_profiles
def test_the_static_pods_carry_the_flags(
    tmp_path: Path, profile: SecurityProfile, acceleration: Acceleration
) -> None:
    """SEC-33, and what kubeadm gives by itself and must not be lost."""
    node = write_node(a_plan(a_cluster_spec(profile=profile), acceleration=acceleration), tmp_path)
    server = node.arguments("kube-apiserver")
    assert server["--profiling"] == "false"
    assert server["--authorization-mode"] == "Node,RBAC"
    assert "NodeRestriction" in server["--enable-admission-plugins"].split(",")
    for component in ("kube-controller-manager", "kube-scheduler"):
        arguments = node.arguments(component)
        assert arguments["--profiling"] == "false"
        assert arguments["--bind-address"] == "127.0.0.1"
    assert node.arguments("etcd")["--client-cert-auth"] == "true"
    assert node.arguments("etcd")["--peer-client-cert-auth"] == "true"


def test_the_strict_api_server_may_write_only_its_audit_log(tmp_path: Path) -> None:
    """SEC-34, SEC-36: the host's directories that it mounts, and how."""
    node = write_node(a_plan(a_cluster_spec(profile=SecurityProfile.STRICT)), tmp_path)
    spec = node.manifest("kube-apiserver")["spec"]
    assert isinstance(spec, dict)
    mounts = {mount["mountPath"]: mount for mount in spec["containers"][0]["volumeMounts"]}
    assert mounts[SECURITY_DIRECTORY]["readOnly"]
    writable = [path for path, mount in mounts.items() if not mount.get("readOnly")]
    assert writable == [AUDIT_DIRECTORY]
    arguments = node.arguments("kube-apiserver")
    assert arguments["--audit-log-maxsize"] == "100"
    assert arguments["--audit-log-maxbackup"] == "10"
    assert arguments["--audit-log-maxage"] == "30"


@both_profiles
def test_the_api_server_does_what_the_profile_says(
    tmp_path: Path, profile: SecurityProfile
) -> None:
    plan = a_plan(a_cluster_spec(profile=profile), acceleration=Acceleration.KVM)
    with started(write_node(plan, tmp_path)) as control_plane:
        found = _findings(control_plane)
    assert found == EXPECTED[profile]


def _findings(api: ControlPlane) -> dict[str, object]:
    _create(api, namespace_manifest("checked"))
    _create(api, namespace_manifest("restricted"))
    enforced = "pod-security.kubernetes.io/enforce=restricted"
    assert api.kubectl("label", "namespace", "restricted", enforced).returncode == 0
    for namespace in ("checked", "restricted", "kube-system"):
        # The controller manager would make it.
        assert api.kubectl("create", "serviceaccount", "default", "-n", namespace).returncode == 0
    secret = ("secret", "generic", "canary", f"--from-literal=word={CANARY}")
    assert api.kubectl("create", *secret, "-n", "checked").returncode == 0
    stored = api.in_etcd("/registry/secrets/checked/canary")
    prefix = re.match(rb"k8s(:enc:[a-z]+:v1:[a-z0-9]+:)?", stored)
    log = api.node.directory / "audit" / "audit.log"
    text = log.read_text() if log.exists() else ""
    encoded = base64.b64encode(CANARY.encode()).decode()
    privileged = _privileged_pod()
    return {
        "profiling (SEC-33)": _profiling(api),
        "lines of the audit log (SEC-34)": min(1, len([json.loads(x) for x in text.splitlines()])),
        "mode of the audit log (SEC-34)": log.stat().st_mode & 0o777 if text else None,
        "the secret's name in the audit log": '"name":"canary"' in text,
        "the secret in the audit log": CANARY in text or encoded in text,
        "privileged pod (SEC-35)": _create(api, privileged, "checked"),
        "privileged pod in kube-system (SEC-35)": _create(api, privileged, "kube-system"),
        "our check pod": _create(api, pod_manifest("check", node="demo-worker"), "checked"),
        "our check pod where restricted is enforced": _create(
            api, pod_manifest("check", node="demo-worker"), "restricted"
        ),
        "our Service": _create(api, service_manifest(), "checked"),
        "our join token, made twice and removed": _join_tokens(api),
        "prefix of a secret in etcd (SEC-36)": prefix and prefix[0],
        "the secret in etcd as plain text (SEC-36)": CANARY.encode() in stored,
        "TLS 1.2 at the API server (SEC-37)": api.takes_tls_1_2(api.api_port),
        "TLS 1.2 at etcd (SEC-37)": api.takes_tls_1_2(api.etcd_port),
        "anonymous /livez (SEC-39)": api.anonymous("/livez"),
        "anonymous /version (SEC-39)": api.anonymous("/version"),
        "anonymous cluster-info (SEC-39)": api.anonymous(CLUSTER_INFO),
        "anonymous namespaces": api.anonymous("/api/v1/namespaces"),
    }


def _join_tokens(api: ControlPlane) -> list[str]:
    """Ask as the product does, and list the tokens while there was one."""
    document = yaml.safe_load((api.node.directory / "super-admin.conf").read_text())
    document["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{api.api_port}"
    kubeconfig = api.node.directory / "product.conf"
    kubeconfig.write_text(yaml.safe_dump(document))
    ours = KubernetesClusterApi()
    assert ours.joined_nodes(kubeconfig) == {}
    for _ in range(2):
        ours.create_join_token(kubeconfig, TOKEN, lifetime_s=3600)
    found = _tokens(api)
    for _ in range(2):
        ours.remove_join_token(kubeconfig, TOKEN)
    assert _tokens(api) == []
    return found


def _tokens(api: ControlPlane) -> list[str]:
    words = ("get", "secrets", "-n", "kube-system", "-o", "jsonpath={.items[*].metadata.name}")
    return api.kubectl(*words).stdout.split()


def _profiling(api: ControlPlane) -> str:
    done = api.kubectl("get", "--raw", "/debug/pprof/")
    return "NotFound" if "(NotFound)" in done.stderr else done.stdout[:80] + done.stderr[:80]


def _create(api: ControlPlane, manifest: object, namespace: str = "default") -> str:
    words = ("create", "-n", namespace, "-f", "-")
    done = api.kubectl(*words, stdin=yaml.safe_dump(manifest))
    if done.returncode == 0:
        return "created"
    refused = re.search(r'violates PodSecurity "\S+"', done.stderr)
    return refused[0] if refused else done.stderr


def _privileged_pod() -> dict[str, object]:
    pod = pod_manifest("privileged", node="demo-worker")
    container = {"name": "c", "image": "x", "securityContext": {"privileged": True}}
    return {**pod, "spec": {"containers": [container]}}
