"""One real cluster's life, from nothing to nothing (G-01, G-19, V-01 to V-07, Z-03)."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from bootstrap.adapters.directories import Directories
from bootstrap.model.images import CHECK_IMAGE
from bootstrap.waiting import NotYet, wait_for
from tests.e2e.conftest import User
from tests.e2e.killing import any_moment

pytestmark = pytest.mark.e2e

_PATIENCE_S = 600
Kubectl = Callable[..., str]
Inventory = Callable[[], dict[str, object]]


@pytest.fixture(scope="module")
def before(inventory: Inventory) -> dict[str, object]:
    return inventory()


@pytest.fixture(scope="module")
def own(directories: Directories, cluster: str) -> Path:
    return directories.state / cluster / "kubeconfig"


def test_an_up_that_is_killed_has_told_nobody_that_it_was_well(
    before: dict[str, object], user: User, cluster: str
) -> None:
    """G-01, R-06, L-01: what it leaves is what all later tests go on from."""
    assert cluster not in str(before["domains"])
    moment, delay_s = any_moment()
    user.killed("up", cluster, "--workers", "1", at=moment, delay_s=delay_s)
    assert not user.kubeconfig.exists()
    assert [one["name"] for one in json.loads(user.succeed("list", "-o", "json"))] == [cluster]


def test_the_next_up_makes_a_verified_cluster(user: User, cluster: str, own: Path) -> None:
    result = json.loads(user.succeed("up", cluster, "--workers", "1", "-o", "json"))
    assert result["verified"]
    assert all(check["ok"] for check in result["checks"])
    assert len(result["nodes"]) == 2
    assert own.stat().st_mode & 0o777 == 0o600


def test_kubectl_lists_both_nodes_ready(own: Path, kubectl: Kubectl) -> None:
    nodes = json.loads(kubectl(own, "get", "nodes", "-o", "json"))["items"]
    ready = [
        condition["status"]
        for node in nodes
        for condition in node["status"]["conditions"]
        if condition["type"] == "Ready"
    ]
    assert ready == ["True", "True"]


def test_the_users_own_kubeconfig_has_the_context(
    user: User, cluster: str, kubectl: Kubectl
) -> None:
    context = f"--context=bootstrap-{cluster}"
    answer = kubectl(user.kubeconfig, context, "get", "--raw", "/readyz")
    assert answer == "ok"


def test_a_deployment_spreads_and_answers_through_a_service(own: Path, kubectl: Kubectl) -> None:
    kubectl(own, "apply", "-f", "-", stdin=yaml.safe_dump_all(_deployment()))
    kubectl(own, "rollout", "status", "deployment/hello", f"--timeout={_PATIENCE_S}s")
    pods = json.loads(kubectl(own, "get", "pods", "-l", "app=hello", "-o", "json"))["items"]
    assert len({pod["spec"]["nodeName"] for pod in pods}) == 2

    def answers() -> set[str]:
        path = "/api/v1/namespaces/default/services/hello:80/proxy/name"
        seen.add(kubectl(own, "get", "--raw", path).strip())
        if len(seen) < 2:
            raise NotYet(f"only {seen} answered")
        return seen

    seen: set[str] = set()
    names = wait_for("both replicas behind the service", answers, timeout_s=_PATIENCE_S)
    assert names == {pod["metadata"]["name"] for pod in pods}
    kubectl(own, "delete", "deployment,service", "hello", "--wait=false")


def test_up_again_changes_nothing(
    user: User, cluster: str, inventory: Inventory, own: Path
) -> None:
    earlier = inventory()
    kubeconfig = own.stat().st_mtime_ns
    result = json.loads(user.succeed("up", cluster, "-o", "json"))
    assert result["verified"]
    assert result["changed"] == 0
    assert inventory()["domains"] == earlier["domains"]
    assert inventory()["files"] == earlier["files"]
    assert own.stat().st_mtime_ns == kubeconfig


def test_read_commands_tell_the_same_story(user: User, cluster: str) -> None:
    status = json.loads(user.succeed("status", cluster, "-o", "json"))
    assert [node["domain"] for node in status["nodes"]] == ["running", "running"]
    assert {node["kubernetes"] for node in status["nodes"]} == {"Ready"}
    assert cluster in user.succeed("list", "-o", "name").split()
    assert f"={' '}" not in user.succeed("plan", cluster, "-o", "name")
    assert "Linux" in user.succeed("ssh", cluster, "worker", "--", "uname", "-s")


def test_plain_ansible_uses_the_inventory(user: User, cluster: str, tmp_path: Path) -> None:
    file = tmp_path / "inventory.yml"
    file.write_text(user.succeed("inventory", cluster))
    ansible = Path(sys.executable).with_name("ansible")
    # What it leaves by itself is not ours: files below its home, a connection for a minute.
    own = {"ANSIBLE_HOME": str(tmp_path), "ANSIBLE_SSH_ARGS": "-o ControlMaster=no"}
    done = subprocess.run(
        [ansible, "-i", file, "-m", "ansible.builtin.ping", "all"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | own | {"PATH": f"{ansible.parent}:{os.environ['PATH']}"},
    )
    assert done.stdout.count("pong") == 2, done.stdout + done.stderr


def test_up_with_another_worker_adds_one_node(
    user: User, cluster: str, own: Path, kubectl: Kubectl, inventory: Inventory
) -> None:
    earlier = _domains(inventory)
    result = json.loads(user.succeed("up", cluster, "--workers", "2", "-o", "json"))
    assert result["verified"]
    assert _domains(inventory) - earlier == {f"{cluster}-worker2"}
    assert len(kubectl(own, "get", "nodes", "-o", "name").split()) == 3


def test_down_leaves_nothing(
    before: dict[str, object], user: User, cluster: str, inventory: Inventory
) -> None:
    user.succeed("down", cluster)
    after = inventory()
    entries = yaml.safe_load(str(after.pop("kubeconfig"))) or {}
    before.pop("kubeconfig")
    assert after == before
    assert not any(entries.get(section) for section in ("clusters", "contexts", "users"))


def test_down_again_is_fine(user: User, cluster: str) -> None:
    assert "nothing was left" in user.succeed("down", cluster)


def _domains(inventory: Inventory) -> set[str]:
    domains = inventory()["domains"]
    assert isinstance(domains, dict)
    return set(domains)


def _deployment() -> list[dict[str, object]]:
    labels = {"app": "hello"}
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": labels},
    }
    container = {"name": "hello", "image": CHECK_IMAGE, "imagePullPolicy": "Never"}
    tolerations = [{"operator": "Exists"}]
    pod = {
        "containers": [container],
        "tolerations": tolerations,
        "topologySpreadConstraints": [spread],
        "terminationGracePeriodSeconds": 0,
    }
    deployment: dict[str, object] = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "hello"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
    service: dict[str, object] = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "hello"},
        "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    return [deployment, service]
