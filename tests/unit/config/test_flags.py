"""Flags over file over defaults; problems of flags carry the flag's name."""

from collections.abc import Callable

import pytest

from bootstrap.config.flags import Flags
from bootstrap.config.load import load_spec
from bootstrap.errors import ConfigError
from bootstrap.model.names import ClusterName
from bootstrap.model.spec import ClusterSpec, NodeRole, SecurityProfile

Load = Callable[..., ClusterSpec]
Problems = Callable[..., list[str]]

FILE = """\
metadata: {name: from-file}
hypervisor: {uri: "qemu:///session"}
nodes:
- role: worker
  count: 3
  memory: 1GiB
- {role: control-plane, cpus: 4, disk: 30GiB}
networking: {apiServerPort: 7000}
"""


def test_no_file_and_no_flags_give_one_control_plane_and_one_worker() -> None:
    spec = load_spec(None, Flags())
    assert spec.name == ClusterName("bootstrap")
    assert [(group.role, group.count) for group in spec.node_groups] == [
        (NodeRole.CONTROL_PLANE, 1),
        (NodeRole.WORKER, 1),
    ]
    assert [(group.cpus, group.memory_mib) for group in spec.node_groups] == [(2, 3072), (1, 2048)]
    assert spec.hypervisor_uri is None
    assert spec.networking.api_server_port is None


def test_an_empty_mapping_of_nodes_values_gives_the_same_as_no_file(load: Load) -> None:
    assert load() == load_spec(None, Flags())


def test_flags_win_over_the_file(load: Load) -> None:
    spec = load(
        FILE,
        name="from-flag",
        workers=5,
        control_planes=1,
        memory="4GiB",
        cpus=3,
        disk="50GiB",
        kubernetes_version="v1.37.2",
        hypervisor="qemu:///system",
        api_server_port=8000,
        security_profile="strict",
    )
    assert spec.security.profile is SecurityProfile.STRICT
    assert spec.name == ClusterName("from-flag")
    assert spec.count(NodeRole.WORKER) == 5
    assert {(group.cpus, group.memory_mib, group.disk_gib) for group in spec.node_groups} == {
        (3, 4096, 50)
    }
    assert spec.hypervisor_uri == "qemu:///system"
    assert spec.networking.api_server_port == 8000


def test_values_without_an_option_are_those_of_the_file(load: Load) -> None:
    spec = load(FILE, workers=5)
    assert spec.name == ClusterName("from-file")
    assert [(group.cpus, group.memory_mib, group.disk_gib) for group in spec.node_groups] == [
        (1, 1024, 20),
        (4, 3072, 30),
    ]


@pytest.mark.parametrize("workers", [0, 1, 99])
def test_the_number_of_workers_needs_no_file(workers: int) -> None:
    spec = load_spec(None, Flags(workers=workers))
    assert spec.count(NodeRole.WORKER) == workers
    assert all(group.count for group in spec.node_groups)


def test_workers_are_added_to_a_file_that_has_none(load: Load) -> None:
    spec = load("nodes: [{role: control-plane}]", workers=2, memory="2GiB")
    assert spec.count(NodeRole.WORKER) == 2
    assert {group.memory_mib for group in spec.node_groups} == {2048}


def test_a_control_plane_is_added_to_a_file_that_has_none(load: Load) -> None:
    assert load("nodes: [{role: worker}]", control_planes=1).count(NodeRole.CONTROL_PLANE) == 1


def test_a_count_for_several_groups_of_workers_is_refused(load: Load, problems: Problems) -> None:
    groups = "nodes: [{}, {role: worker, count: 2}, {role: worker}]"
    assert load(groups, workers=3).count(NodeRole.WORKER) == 3
    assert problems(groups, workers=4) == [
        "--workers: the file has 2 groups of 3 worker nodes; edit the file."
    ]


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        ({"name": "A b"}, "NAME: 'A b' is not a cluster name; use 1 to 40 of a-z, 0-9 and '-', "),
        ({"workers": 100}, "--workers: 100 is out of range; use 0 to 99."),
        ({"workers": -1}, "--workers: -1 is out of range; use 0 to 99."),
        ({"control_planes": 3}, "--control-planes: one control plane is supported; this asks for"),
        ({"control_planes": 0}, "--control-planes: one control plane is supported; this asks for"),
        ({"memory": "2Gi"}, "--memory: '2Gi' is not a size; did you mean '2GiB'?"),
        ({"memory": "1GiB"}, "--memory: a control plane needs at least '1700MiB', not '1024MiB'."),
        ({"cpus": 1}, "--cpus: a control plane needs at least 2, not 1."),
        ({"disk": "1GiB"}, "--disk: '1GiB' is too small; use at least '4GiB'."),
        ({"kubernetes_version": "1.30"}, "--kubernetes-version: '1.30' is not a supported "),
        ({"hypervisor": "xen:///"}, "--hypervisor: 'xen:///' is not a supported URI; "),
        ({"api_server_port": 80}, "--api-server-port: 80 is out of range; use 1024 to 65535."),
    ],
)
def test_a_problem_of_an_option_has_its_name(flags: dict[str, object], line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_spec(None, Flags(**flags))  # type: ignore[arg-type]
    error = caught.value
    assert error.message == "The command line has 1 problem."
    assert error.details[: len(line)] == line
    assert "\n" not in error.details
    assert error.hint == "bootstrap up --help"


def test_problems_of_flags_and_file_come_together(load: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        load("ttl: 2h", workers=100, memory="x")
    error = caught.value
    assert error.message == "The cluster file 'x.yaml' and the command line have 3 problems."
    assert [line.split(":")[0] for line in error.details.split("\n")] == [
        "--memory",
        "--workers",
        "x.yaml",
    ]


@pytest.mark.parametrize(
    "text",
    ["metadata:", "metadata: []", "nodes:", "nodes: x", "nodes: [x, [], null]", "networking: 1",
     "hypervisor: x", "nodes: [{role: [x]}, {role: worker, count: x}, {role: worker}]"],
)  # fmt: skip
def test_options_over_a_file_of_another_shape_keep_its_problems(
    text: str, problems: Problems
) -> None:
    lines = problems(
        text, name="x", workers=1, control_planes=1, memory="2GiB", hypervisor="qemu:///session"
    )
    assert any(line.startswith("x.yaml:3:") for line in lines)


def test_the_chosen_facts_are_those_that_an_option_sets() -> None:
    """A fact that was not chosen is kept, so none may be missing or too many."""
    assert Flags(name="x", memory="2GiB", workers=3, security_profile="strict").chosen_facts() == {
        "name",
        "memoryMiB",
        "workers",
        "securityProfile",
    }
    assert Flags(cpus=None).chosen_facts() == frozenset()
