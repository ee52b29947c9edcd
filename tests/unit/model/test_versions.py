"""The table of versions, and which kubelets a control plane takes."""

import pytest

from bootstrap.model.versions import (
    MINORS,
    SUPPORTED_VERSIONS,
    refusal_of_kubelet,
    support_end,
)


def test_every_supported_minor_is_in_the_table_and_no_other() -> None:
    assert {version.rpartition(".")[0] for version in SUPPORTED_VERSIONS} == set(MINORS)


def test_a_newer_minor_is_supported_longer() -> None:
    ends = [support_end(version) for version in SUPPORTED_VERSIONS]

    assert ends == sorted(set(ends), reverse=True)


@pytest.mark.parametrize("kubelet", ["v1.37.2", "v1.37.0", "v1.36.30", "v1.35.4", "v1.34.0"])
def test_a_kubelet_up_to_three_minors_older_is_taken(kubelet: str) -> None:
    assert refusal_of_kubelet(kubelet, "v1.37.2") == ""


@pytest.mark.parametrize(
    ("kubelet", "reason"),
    [
        ("v1.38.0", "newer"),
        ("v1.37.10", "newer"),  # a patch; as text it would be older
        ("v2.0.0", "newer"),
        ("v1.33.12", "more than 3 minors older"),
        ("v0.37.2", "more than 3 minors older"),
    ],
)
def test_any_other_kubelet_is_refused_with_the_reason(kubelet: str, reason: str) -> None:
    said = refusal_of_kubelet(kubelet, "v1.37.2")

    assert reason in said
    assert kubelet in said
    assert "v1.37.2" in said
