"""A real worker whose kubelet is a minor older than the control plane."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.model.versions import DEFAULT_VERSION, SUPPORTED_VERSIONS
from tests.e2e.people import User

OLDER = SUPPORTED_VERSIONS[1]

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        os.environ.get("BOOTSTRAP_E2E") != "all",
        reason="a second image, and minutes to build an older kubelet; BOOTSTRAP_E2E=all does it",
    ),
]


def test_up_makes_a_verified_cluster_with_an_older_worker(user: User, cluster: str) -> None:
    words = ("--workers", "1", "--kubelet-version", OLDER, "-o", "json")
    assert json.loads(user.succeed("up", cluster, *words))["verified"]
    nodes = json.loads(user.succeed("status", cluster, "-o", "json"))["nodes"]
    versions = {node["name"]: node["kubeletVersion"] for node in nodes}
    assert versions == {"control-plane": DEFAULT_VERSION, "worker": OLDER}


def test_the_worker_differs_in_its_kubelet_alone(
    own: Path, cluster: str, user: User, kubectl: Callable[..., str]
) -> None:
    nodes = json.loads(kubectl(own, "get", "nodes", "-o", "json"))["items"]
    found = {one["metadata"]["name"]: one["status"]["nodeInfo"] for one in nodes}
    assert found["worker"]["kubeletVersion"] == OLDER
    assert found["control-plane"]["kubeletVersion"] == DEFAULT_VERSION
    runtimes = {info["containerRuntimeVersion"] for info in found.values()}
    assert len(runtimes) == 1
    said = user.succeed("ssh", cluster, "worker", "--", "kubeadm version -o short")
    assert said.strip() == DEFAULT_VERSION
    proxy = json.loads(kubectl(own, "-n", "kube-system", "get", "ds", "kube-proxy", "-o", "json"))
    assert proxy["status"]["numberReady"] == len(found)


def test_a_second_up_changes_nothing_and_another_version_is_refused(
    user: User, cluster: str
) -> None:
    assert json.loads(user.succeed("up", cluster, "-o", "json"))["changed"] == 0
    refused = user.run("up", cluster, "--kubelet-version", DEFAULT_VERSION)
    assert refused.exit_code == 2
    assert f"kubeletVersion is {OLDER}" in refused.stderr


def test_down_leaves_nothing(user: User, cluster: str) -> None:
    user.succeed("down", cluster)
    assert cluster not in user.succeed("list", "-o", "name").split()
