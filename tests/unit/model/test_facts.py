"""Facts: what a mark remembers of a spec gives the same spec again."""

from dataclasses import replace
from pathlib import Path

import pytest

from bootstrap.config.flags import Flags
from bootstrap.config.load import load_spec
from bootstrap.model.facts import fact_name, facts_of, remembered_values, with_facts
from bootstrap.model.spec import NetworkingSpec, NodeGroupSpec, SecuritySpec
from tests.builders import a_cluster_spec

_FULL = load_spec(Path(__file__).parents[2] / "data" / "clusters" / "valid-full.yaml", Flags())
_DEFAULT = a_cluster_spec()


@pytest.mark.parametrize(
    ("part", "other"),
    [
        (_FULL, replace(_DEFAULT, kubernetes_version="v1.0.0")),
        (_FULL.networking, _DEFAULT.networking),
        (_FULL.security, _DEFAULT.security),
        *((group, _DEFAULT.node_groups[1]) for group in _FULL.node_groups),
    ],
    ids=["cluster", "networking", "security", "control-plane", "worker", "worker2"],
)
def test_a_part_with_the_facts_of_another_has_its_remembered_values(
    part: NodeGroupSpec, other: NodeGroupSpec
) -> None:
    facts = facts_of(type(part), part)
    assert all(isinstance(text, str) for text in facts.values())
    kept = with_facts(other, facts)
    assert remembered_values(type(part), kept) == remembered_values(type(part), part)
    assert facts_of(type(part), kept) == facts


def test_a_fact_that_is_missing_changes_nothing() -> None:
    group = _FULL.node_groups[1]
    assert with_facts(group, {}) == group
    assert with_facts(group, {"cpus": "7", "unknown": "x"}) == replace(group, cpus=7)


def test_a_fact_that_no_run_wrote_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        with_facts(_FULL.node_groups[0], {"cpus": "two"})


def test_only_remembered_fields_have_a_fact() -> None:
    assert fact_name(NodeGroupSpec, "memory_mib") == "memoryMiB"
    assert fact_name(SecuritySpec, "profile") == "securityProfile"
    assert fact_name(NetworkingSpec, "mode") is None
