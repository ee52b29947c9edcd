"""Which kubelets a cluster file and the options may ask for."""

import pytest

from bootstrap.config.flags import Flags
from bootstrap.config.load import load_spec
from bootstrap.errors import ConfigError
from bootstrap.model.spec import NodeRole
from tests.unit.config.conftest import Load, Problems

_NODES = "nodes:\n- role: control-plane\n- role: worker\n  kubeletVersion: {}\n"


def test_a_kubelet_is_that_of_its_group(load: Load) -> None:
    spec = load("nodes: [{}, {role: worker}, {role: worker, count: 2, kubeletVersion: v1.35.4}]\n")
    assert [spec.kubelet_of(group) for group in spec.node_groups] == [
        "v1.37.2",
        "v1.37.2",
        "v1.35.4",
    ]
    assert spec.kubelet_versions == ("v1.37.2", "v1.35.4")


def test_the_option_is_for_workers_alone(load: Load) -> None:
    spec = load("nodes: [{}, {role: worker}, {role: worker}]", kubelet_version="v1.36.3")
    kubelets = {group.role: group.kubelet_version for group in spec.node_groups}
    assert kubelets == {NodeRole.CONTROL_PLANE: None, NodeRole.WORKER: "v1.36.3"}
    without = load_spec(None, Flags(kubelet_version="v1.36.3", workers=3))
    assert [group.kubelet_version for group in without.node_groups] == [None, "v1.36.3"]


def test_a_newer_kubelet_is_refused_at_its_place(problems: Problems) -> None:
    text = f"kubernetesVersion: v1.36.3\n{_NODES.format('v1.37.2')}"
    (line,) = problems(text)
    assert line == (
        "x.yaml:7:19: nodes[1].kubeletVersion: kubelet v1.37.2 is newer than the control plane, "
        "v1.36.3."
    )
    assert problems("kubernetesVersion: v1.36.3", kubelet_version="v1.37.2") == [
        "--kubelet-version: kubelet v1.37.2 is newer than the control plane, v1.36.3."
    ]


def test_an_unknown_version_is_refused_with_those_that_are_known(problems: Problems) -> None:
    (line,) = problems(_NODES.format("v1.30.0"))
    assert "'v1.30.0' is not a supported version; use 'v1.37.2', 'v1.36.3' or 'v1.35.4'" in line


def test_a_control_plane_has_the_kubelet_of_kubernetes(load: Load, problems: Problems) -> None:
    text = "nodes: [{{kubeletVersion: {}}}, {{role: worker}}]"
    (line,) = problems(text.format("v1.36.3"))
    assert "the kubelet of a control plane has the version of Kubernetes" in line
    assert load(text.format("v1.37.2")).kubelet_versions == ("v1.37.2",)


def test_a_group_without_nodes_asks_for_nothing(load: Load) -> None:
    groups = "[{}, {role: worker, count: 0, kubeletVersion: v1.37.2}]"
    load(f"kubernetesVersion: v1.36.3\nnodes: {groups}")


@pytest.mark.parametrize("workers", [None, 0])
def test_the_option_is_refused_without_a_worker(problems: Problems, workers: int | None) -> None:
    text = "nodes: [{}]" if workers is None else "nodes: [{}, {role: worker}]"
    assert problems(text, kubelet_version="v1.36.3", workers=workers) == [
        "--kubelet-version: the cluster has no worker node."
    ]


def test_without_a_version_of_kubernetes_an_existing_cluster_may_have_an_older_one() -> None:
    """The plan refuses what does not fit it."""
    flags = Flags(kubelet_version="v1.37.2")
    assert load_spec(None, flags).kubelet_versions == ("v1.37.2",)
    with pytest.raises(ConfigError, match="1 problem"):
        load_spec(None, Flags(kubelet_version="v1.37.2", kubernetes_version="v1.36.3"))
