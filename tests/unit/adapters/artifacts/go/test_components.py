"""The programs of a node follow from the locks, which are go.mod files."""

import re

import pytest

from bootstrap.adapters.artifacts.go.components import Component, components_of
from bootstrap.errors import UsageError
from bootstrap.model.versions import (
    DEFAULT_VERSION,
    LOCKS,
    SUPPORTED_VERSIONS,
    required_version,
)
from bootstrap.resources import resource_directory

_MODULES = resource_directory("artifacts")
_PARTS = {
    f"{version}-{part.name}": part
    for version in SUPPORTED_VERSIONS
    for part in components_of(version)
}


def _go_mod(part: Component) -> str:
    return (_MODULES / part.module / part.lock).read_text()


@pytest.mark.parametrize("part", _PARTS.values(), ids=_PARTS)
def test_a_version_is_one_that_go_mod_requires_and_go_sum_has_the_checksum_of(
    part: Component,
) -> None:
    if part.name == "node":
        assert "require" not in _go_mod(part)
        return
    sums = (_MODULES / part.module / part.lock).with_suffix(".sum").read_text()
    pattern = rf"^(?:require |\t)(\S+) {re.escape(part.version)}\b"
    required = re.findall(pattern, _go_mod(part), re.MULTILINE)
    assert any(f"{name} {part.version} h1:" in sums for name in required)


@pytest.mark.parametrize("part", _PARTS.values(), ids=_PARTS)
def test_a_package_of_another_module_is_named_as_a_tool_so_that_go_mod_lists_what_it_needs(
    part: Component,
) -> None:
    assert part.package == "." or re.search(
        rf"^(?:tool |\t){re.escape(part.package)}$", _go_mod(part), re.MULTILINE
    )


@pytest.mark.parametrize("version", SUPPORTED_VERSIONS)
def test_all_programs_of_a_node_are_named_once(version: str) -> None:
    assert sorted(part.name for part in components_of(version)) == sorted(
        [
            *("kube", "etcd", "coredns", "node"),
            *("containerd", "containerd-shim-runc-v2", "ctr"),
            *("bridge", "host-local", "loopback", "portmap", "ptp"),
        ]
    )


def test_three_minors_are_supported_the_newest_first() -> None:
    minors = [int(version.split(".")[1]) for version in SUPPORTED_VERSIONS]
    assert minors == [minors[0], minors[0] - 1, minors[0] - 2]


def test_each_minor_has_locks_of_its_own_for_what_kubeadm_names() -> None:
    """Those of etcd and CoreDNS are the versions that the minor was released with."""
    for version in SUPPORTED_VERSIONS:
        locks = {part.name: part.lock for part in components_of(version)}
        own = "go.mod" if version == DEFAULT_VERSION else f"{version.rpartition('.')[0]}.mod"
        assert {locks.pop(name) for name in ("kube", "etcd", "coredns")} == {own}
        assert set(locks.values()) == {"go.mod"}


@pytest.mark.parametrize("version", SUPPORTED_VERSIONS)
def test_the_kubernetes_programs_report_the_version_that_the_lock_requires(version: str) -> None:
    kube = next(part for part in components_of(version) if part.name == "kube")
    assert re.search(rf"\sk8s.io/kubernetes {re.escape(kube.version)}\n", _go_mod(kube))
    major, minor, _ = kube.version.split(".")
    assert [stamp.rpartition(".git")[2] for stamp in kube.stamps] == [
        f"Version={kube.version}",
        f"Major={major.removeprefix('v')}",
        f"Minor={minor}",
    ]


def test_an_unknown_version_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        components_of("v1.9.0")
    assert "v1.9.0" in caught.value.message
    assert DEFAULT_VERSION in caught.value.details


@pytest.mark.parametrize("version", SUPPORTED_VERSIONS)
@pytest.mark.parametrize("module", ["k8s.io/api", "k8s.io/apimachinery", "k8s.io/client-go"])
def test_coredns_has_the_client_of_its_kubernetes_which_is_then_compiled_once(
    version: str, module: str
) -> None:
    client = required_version("coredns", module, LOCKS[version])
    assert client == version.replace("v1.", "v0.", 1)
