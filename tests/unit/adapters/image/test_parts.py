"""What goes into a node image with an older kubelet."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from bootstrap.adapters.image.parts import (
    CNI_PLUGINS,
    CONTAINERD_PROGRAMS,
    Versions,
    ensure_parts,
    find_parts,
    role_variables,
    source_key,
)
from bootstrap.model.sources import Source
from tests.fakes.artifacts import FakeArtifacts

OWN = Versions("v1.37.2", "v1.37.2")
MIXED = Versions("v1.37.2", "v1.36.3")


def artifacts_of(directory: Path, *programs: str) -> FakeArtifacts:
    data = json.dumps(
        {"manifests": [{"annotations": {"io.containerd.image.name": "r.example/pause:3"}}]}
    ).encode()
    with tarfile.open(directory / "images.tar", "w") as tar:
        entry = tarfile.TarInfo("index.json")
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))
    names = (*programs, *CONTAINERD_PROGRAMS, *CNI_PLUGINS)
    return FakeArtifacts(directory / "images.tar", names)


@pytest.fixture
def go(tmp_path: Path) -> FakeArtifacts:
    """One program that is all of Kubernetes'."""
    return artifacts_of(tmp_path, "kube")


def test_only_an_older_kubelet_is_asked_for_beside_the_set(go: FakeArtifacts) -> None:
    for versions in (OWN, Versions("v1.37.2", None)):
        parts = ensure_parts(versions, go, Source.GO, refresh=False)
        assert (parts.kubelet, parts.digest) == (None, "first")
    assert go.asked == ["v1.37.2", "v1.37.2"]
    assert find_parts(MIXED, go, Source.GO) is None
    mixed = ensure_parts(MIXED, go, Source.GO, refresh=False)
    assert go.asked[2:] == ["v1.37.2", "kubelet v1.36.3"]
    assert find_parts(MIXED, go, Source.GO) == mixed
    assert mixed.digest not in (
        "first",
        ensure_parts(Versions("v1.37.2", "v1.35.4"), go, Source.GO, refresh=False).digest,
    )


def test_the_key_of_the_source_names_both_versions(go: FakeArtifacts) -> None:
    own = source_key(OWN, go, Source.GO)
    assert own == go.key("v1.37.2", Source.GO)
    assert source_key(MIXED, go, Source.GO) == f"{own} {go.key('v1.36.3', Source.GO)}"


def test_the_older_program_is_kubelet_and_no_other(go: FakeArtifacts) -> None:
    """kubeadm joins with the version of the control plane."""
    parts = ensure_parts(MIXED, go, Source.GO, refresh=False)
    assert parts.kubelet is not None
    variables = role_variables(parts)
    assert variables["kubernetes_binaries_programs"] == {
        "kube": str(go.built.binaries["kube"]),
        "kubelet": str(parts.kubelet.path),
    }
    assert variables["kubernetes_binaries_links"] == {"kubeadm": "kube", "kubectl": "kube"}
    own = role_variables(ensure_parts(OWN, go, Source.GO, refresh=False))
    links = own["kubernetes_binaries_links"]
    assert isinstance(links, dict)
    assert links["kubelet"] == "kube"


def test_separate_programs_are_replaced_one_by_one(tmp_path: Path) -> None:
    upstream = artifacts_of(tmp_path, "kubeadm", "kubectl", "kubelet")
    parts = ensure_parts(MIXED, upstream, Source.UPSTREAM, refresh=False)
    assert parts.kubelet is not None
    programs = role_variables(parts)["kubernetes_binaries_programs"]
    assert programs == {
        "kubeadm": str(upstream.built.binaries["kubeadm"]),
        "kubectl": str(upstream.built.binaries["kubectl"]),
        "kubelet": str(parts.kubelet.path),
    }
