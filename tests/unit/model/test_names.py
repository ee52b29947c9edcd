"""Names that cannot hold anything but a name."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.model.names import ClusterName, cluster_names, kubeconfig_entry, node_name


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
    assert node_name(demo, "worker", 0) == "demo-worker"
    assert node_name(demo, "worker", 1) == "demo-worker2"
    assert kubeconfig_entry(demo) == "bootstrap-demo"


def test_a_nodes_name_is_a_host_name_however_many_there_are() -> None:
    """P-16."""
    assert len(node_name(ClusterName("x" * 40), "control-plane", 98)) <= 63


def test_what_is_no_name_is_left_out_of_a_list() -> None:
    found = cluster_names(["demo", "demo (copy)", ".locks", "b"])
    assert found == [ClusterName("demo"), ClusterName("b")]
