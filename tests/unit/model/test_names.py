"""Names that cannot hold anything but a name."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.model.names import (
    SWITCH,
    ClusterName,
    cluster_names,
    domain_name,
    kubeconfig_entry,
    node_index,
    node_name,
)
from bootstrap.model.spec import NodeRole


@pytest.mark.parametrize("text", ["a", "demo", "a-b", "a1", "x" * 40])
def test_a_label_is_a_name(text: str) -> None:
    assert str(ClusterName(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "..", "../../etc/x", "/etc/x", "a/b", "a b", "a.b", "a_b", "A", "é", "1a"),
        *("-a", "a-", "-oProxyCommand=x", "x;rm", "a\n", "a\nb", "a\x00", "{{x}}", "x" * 41),
        *("x" * 300, " a", "a ", "$(id)", "*", "~"),
    ],
)
def test_anything_else_is_refused_with_the_rule(text: str) -> None:
    """H-01, H-02, H-06, P-16."""
    with pytest.raises(ValueError, match="1 to 40 of a-z"):
        ClusterName(text)


@given(st.text(max_size=50))
def test_only_labels_are_names(text: str) -> None:
    try:
        name = ClusterName(text)
    except ValueError:
        assert not re.fullmatch(r"[a-z]|[a-z][-a-z0-9]{0,38}[a-z0-9]", text)
    else:
        assert re.fullmatch(r"[a-z0-9-]{1,40}", str(name))


def test_nodes_are_named_as_kind_names_them() -> None:
    demo = ClusterName("demo")
    assert node_name("worker", 0) == "worker"
    assert node_name("worker", 1) == "worker2"
    assert domain_name(demo, "worker2") == "demo-worker2"
    assert kubeconfig_entry(demo) == "bootstrap-demo"


@given(st.sampled_from(NodeRole), st.integers(0, 1000))
def test_an_index_is_read_back_from_a_name(role: NodeRole, index: int) -> None:
    name = node_name(role.value, index)
    assert [node_index(name, other.value) for other in NodeRole] == [
        index if other is role else None for other in NodeRole
    ]


@pytest.mark.parametrize(
    "name",
    [SWITCH, "", "worker0", "worker1", "worker02", "worker-2", "worker\u0662", "demo-worker"],
)
def test_what_is_not_a_nodes_name_has_no_index(name: str) -> None:
    assert [node_index(name, role.value) for role in NodeRole] == [None, None]


def test_a_nodes_name_is_a_host_name_however_many_there_are() -> None:
    """P-16."""
    assert len(domain_name(ClusterName("x" * 40), node_name("control-plane", 98))) <= 63


def test_what_is_no_name_is_left_out_of_a_list() -> None:
    found = cluster_names(["demo", "demo (copy)", ".locks", "b"])
    assert found == [ClusterName("demo"), ClusterName("b")]
