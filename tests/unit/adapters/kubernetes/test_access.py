"""Reading a kubeconfig, and refusing one that holds more than is used."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.adapters.kubernetes.access import read_access
from bootstrap.errors import VerifyError
from tests.fakes.api_server import FakeApiServer

SECRET = "canary-key"


def a_kubeconfig(directory: Path, **changes: dict[str, Any]) -> Path:
    fake = FakeApiServer()
    fake.port = 6443
    return fake.kubeconfig(directory, **changes).rename(directory / "kube config")


def refused(path: Path) -> str:
    with pytest.raises(VerifyError, match="Could not use the kubeconfig") as caught:
        read_access(path)
    return caught.value.details


def test_access_holds_what_the_file_says(tmp_path: Path) -> None:
    access = read_access(a_kubeconfig(tmp_path))
    assert access.server == "https://127.0.0.1:6443"
    assert access.ca.startswith("-----BEGIN CERTIFICATE-----")
    assert access.certificate.startswith(b"-----BEGIN CERTIFICATE-----")
    assert access.key.startswith(b"-----BEGIN EC PRIVATE KEY-----")


def test_access_does_not_show_its_key(tmp_path: Path) -> None:
    access = read_access(a_kubeconfig(tmp_path))
    assert "PRIVATE" not in repr(access)
    assert access.key.decode() not in repr(access)


def test_the_hint_is_a_command_even_for_odd_paths(tmp_path: Path) -> None:
    """V-02."""
    path = a_kubeconfig(tmp_path)
    assert read_access(path).hint == f"kubectl --kubeconfig '{path}' get --raw /readyz"


@pytest.mark.parametrize(
    ("text", "details"),
    [
        ("", "there is not exactly one cluster"),
        ("[1, 2]", "there is not exactly one cluster"),
        (f"key: [{SECRET}", "not valid YAML"),
        ("[" * 5000, "maximum recursion depth exceeded"),
        ("clusters: []", "there is not exactly one cluster"),
        ("clusters: 7\nusers: {}", "there is not exactly one cluster"),
        ("clusters: [{cluster: 7}]", "there is not exactly one cluster"),
        ("clusters: [{cluster: {server: [x]}}]", "server is missing"),
    ],
)
def test_a_damaged_file_is_an_error_that_shows_no_key(
    text: str, details: str, tmp_path: Path
) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    assert refused(path) == details


def test_a_second_cluster_is_refused(tmp_path: Path) -> None:
    """SEC-31: which of them is meant would be a guess."""
    path = a_kubeconfig(tmp_path)
    document = yaml.safe_load(path.read_text())
    document["clusters"] *= 2
    path.write_text(yaml.safe_dump(document))
    assert refused(path) == "there is not exactly one cluster"


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "none")


@pytest.mark.parametrize(
    "server", ["http://127.0.0.1:8080", "https://127.0.0.1", "https://127.0.0.1:x", "https://:1"]
)
def test_a_server_without_tls_or_port_is_refused(server: str, tmp_path: Path) -> None:
    details = refused(a_kubeconfig(tmp_path, cluster={"server": server}))
    assert "not an https URL" in details or "Port could not be cast" in details


@pytest.mark.parametrize("data", ["", "ICAg", "%%%", "c3VycHJpc2U="])
@pytest.mark.parametrize(
    "name", ["client-key-data", "client-certificate-data", "certificate-authority-data"]
)
def test_a_damaged_key_or_certificate_is_refused(name: str, data: str, tmp_path: Path) -> None:
    kind = "user" if name.startswith("client") else "cluster"
    assert refused(a_kubeconfig(tmp_path, **{kind: {name: data}}))


def test_a_bearer_token_is_refused(tmp_path: Path) -> None:
    """SEC-31: the user's file holds a client certificate and nothing else."""
    details = refused(a_kubeconfig(tmp_path, user={"token": SECRET}))
    assert details == "fields that are not used: user.token"
