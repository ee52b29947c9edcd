"""The rules that involve several values, each at its limits."""

from collections.abc import Callable
from ipaddress import IPv4Network
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.config.checks import check
from bootstrap.config.flags import Flags
from bootstrap.config.load import load_spec
from bootstrap.config.schema import API_VERSION, KIND, ClusterFile
from bootstrap.errors import ConfigError
from bootstrap.model.network import UPLINK_SUBNET

Load = Callable[..., object]
Problems = Callable[..., list[str]]

_NAMES = ("podSubnet", "serviceSubnet", "nodeSubnet")


def _networks() -> st.SearchStrategy[IPv4Network]:
    # Few bits of 10.0.0.0/8 vary, so that ranges do meet.
    return st.builds(
        lambda bits, prefix: IPv4Network((0x0A000000 | bits << 8, prefix), strict=False),
        st.integers(0, 0xFFF),
        st.integers(12, 20),
    )


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.tuples(_networks(), _networks(), _networks()))
def test_ranges_are_refused_exactly_if_two_of_them_overlap(
    networks: tuple[IPv4Network, IPv4Network, IPv4Network],
) -> None:
    """P-08; the oracle is ipaddress."""
    named = dict(zip(_NAMES, map(str, networks), strict=True))
    file = ClusterFile.model_validate(
        {"apiVersion": API_VERSION, "kind": KIND, "networking": named}
    )
    found = {problem.message for problem in check(file) if "overlaps" in problem.message}
    wanted = [
        {str(one), str(other)}
        for one, other in combinations([*networks, UPLINK_SUBNET], 2)
        if one.overlaps(other) and (one is not UPLINK_SUBNET)
    ]
    assert bool(found) == bool(wanted)
    for pair in wanted:
        assert any(all(f"'{network}'" in message for network in pair) for message in found)


@pytest.mark.parametrize(
    ("nodes", "line"),
    [
        ("[]", "x.yaml:3:8: nodes: one control plane is supported; this asks for 0."),
        (
            "[{role: control-plane, count: 0}]",
            "x.yaml:3:38: nodes[0].count: one control plane is supported; this asks for 0.",
        ),
        (
            "[{role: control-plane}, {role: control-plane}]",
            "x.yaml:3:39: nodes[1].role: one control plane is supported; this asks for 2.",
        ),
        (
            "[{}, {}]",
            "x.yaml:3:13: nodes[1].role: one control plane is supported; this asks for 2.",
        ),
        (
            "[{}, {role: worker, count: 99}, {role: worker}]",
            "x.yaml:3:40: nodes[2].count: up to 99 workers are supported; this asks for 100.",
        ),
        ("[{cpus: 1}]", "x.yaml:3:16: nodes[0].cpus: a control plane needs at least 2, not 1."),
        (
            "[{memory: 1699MiB}]",
            (
                "x.yaml:3:18: nodes[0].memory: a control plane needs at least '1700MiB', "
                "not '1699MiB'."
            ),
        ),
        (
            "[{}, {role: worker, memory: 511MiB}]",
            "x.yaml:3:36: nodes[1].memory: a worker needs at least '512MiB', not '511MiB'.",
        ),
    ],
)
def test_impossible_numbers_and_sizes_of_nodes_are_refused(
    nodes: str, line: str, problems: Problems
) -> None:
    """K-04 for the sizes."""
    assert problems(f"nodes: {nodes}") == [line]


@pytest.mark.parametrize(
    "nodes",
    [
        "[{}]",
        "[{memory: 1700MiB, cpus: 2}, {role: worker, memory: 512MiB, cpus: 1}]",
        "[{}, {role: worker, count: 99}]",
        "[{}, {role: worker, count: 0, memory: 1MiB}]",
    ],
)
def test_numbers_and_sizes_of_nodes_at_the_limits_load(nodes: str, load: Load) -> None:
    load(f"nodes: {nodes}")


@pytest.mark.parametrize(
    ("workers", "pods", "nodes"), [(0, 24, 28), (1, 20, 27), (6, 20, 27), (7, 19, 27), (99, 17, 25)]
)
def test_the_smallest_ranges_that_hold_all_nodes_load(
    workers: int, pods: int, nodes: int, load: Load, problems: Problems
) -> None:
    """Workers are numbered from 10, so that control planes can be added before them."""
    groups = f"nodes: [{{}}, {{role: worker, count: {workers}}}]\n"
    load(f"{groups}networking: {{podSubnet: 172.16.0.0/{pods}, nodeSubnet: 172.20.0.0/{nodes}}}")
    pod_line, node_line = problems(
        f"{groups}networking:\n  podSubnet: 172.16.0.0/{pods + 1}\n"
        f"  nodeSubnet: 172.20.0.0/{nodes + 1}\n"
    )
    assert pod_line == (
        f"x.yaml:5:14: networking.podSubnet: '172.16.0.0/{pods + 1}' has no room for a /24 for "
        f"each of {workers + 1} nodes; use a /{pods} or a larger range."
    )
    assert node_line == (
        f"x.yaml:6:15: networking.nodeSubnet: '172.20.0.0/{nodes + 1}' has no room for an address "
        f"for each of {workers + 1} nodes; use a /{nodes} or a larger range."
    )


def test_an_overlap_with_a_default_is_reported_for_the_range_in_the_file(
    problems: Problems,
) -> None:
    """P-08."""
    (line,) = problems("networking: {nodeSubnet: 10.97.0.0/24}")
    assert line == (
        "x.yaml:3:26: networking.nodeSubnet: '10.97.0.0/24' overlaps serviceSubnet "
        "'10.96.0.0/12'; use ranges that do not overlap."
    )


def test_a_rule_is_not_checked_with_an_invalid_value(problems: Problems) -> None:
    assert problems("nodes: [{role: worker}, {role: master}]") == [
        "x.yaml:3:32: nodes[1].role: 'master' is not a role; use 'control-plane' or 'worker'."
    ]
    assert problems("nodes: [{}, {rol: worker}]") == [
        "x.yaml:3:14: nodes[1].rol: 'rol' is not a key here; did you mean 'role'?"
    ]


def test_rules_that_do_not_depend_on_an_invalid_value_are_checked(problems: Problems) -> None:
    lines = problems("nodes: [{cpus: 1}, {role: worker, count: 100}]\nkubernetesVersion: 1.30")
    assert [line.split(": ")[1] for line in lines] == [
        "nodes[0].cpus",
        "nodes[1].count",
        "kubernetesVersion",
    ]


def test_entries_keep_their_numbers_beside_an_invalid_one(problems: Problems) -> None:
    lines = problems("nodes: [{}, x, {role: worker, memory: 1MiB}]")
    assert [line.split(": ")[1] for line in lines] == ["nodes[1]", "nodes[2].memory"]


def test_values_are_checked_without_api_version_and_kind(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("nodes: [{cpus: 1}]", encoding="utf-8")
    with pytest.raises(ConfigError, match="3 problems") as caught:
        load_spec(path, Flags())
    assert "nodes[0].cpus" in caught.value.details
