"""What is read from a kubeconfig, and what is not."""

import base64
from pathlib import Path

import pytest
import yaml

from bootstrap.adapters.kubernetes.access import read_access
from bootstrap.errors import VerifyError

SECRET = "canary-key"


def a_kubeconfig(directory: Path, *, server: str = "https://127.0.0.1:6443/", **user: str) -> Path:
    def data(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    cluster = {"server": server, "certificate-authority-data": data("ca")}
    who = {"client-certificate-data": data("certificate"), "client-key-data": data(SECRET)} | user
    document = {
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": who}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "n"}}],
        "current-context": "x",
    }
    path = directory / "kube config"
    path.write_text(yaml.safe_dump(document))
    return path


def test_access_holds_what_the_file_says(tmp_path: Path) -> None:
    access = read_access(a_kubeconfig(tmp_path))
    assert (access.server, access.tls_server_name) == ("https://127.0.0.1:6443", "")
    assert (access.ca, access.certificate, access.key) == ("ca", b"certificate", SECRET.encode())


def test_access_does_not_show_its_key(tmp_path: Path) -> None:
    assert SECRET not in repr(read_access(a_kubeconfig(tmp_path)))


def test_the_hint_is_a_command_even_for_odd_paths(tmp_path: Path) -> None:
    """V-02."""
    path = a_kubeconfig(tmp_path)
    assert read_access(path).hint == f"kubectl --kubeconfig '{path}' get --raw /readyz"


@pytest.mark.parametrize(
    ("text", "details"),
    [
        ("", "there is no context ''"),
        ("[1, 2]", "there is no context ''"),
        (f"key: [{SECRET}", "not valid YAML"),
        ("current-context: x", "there is no context 'x'"),
        ("clusters: 7\nusers: {}\ncurrent-context: [x]", "there is no context ''"),
    ],
)
def test_a_damaged_file_is_an_error_that_shows_no_key(
    text: str, details: str, tmp_path: Path
) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    with pytest.raises(VerifyError) as caught:
        read_access(path)
    assert details in caught.value.details
    assert SECRET not in caught.value.details


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(VerifyError, match="Could not use the kubeconfig"):
        read_access(tmp_path / "none")


def test_a_server_without_tls_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VerifyError) as caught:
        read_access(a_kubeconfig(tmp_path, server="http://127.0.0.1:8080"))
    assert "not an https URL" in caught.value.details


@pytest.mark.parametrize("data", ["", "%%%"])
def test_a_damaged_key_is_refused(data: str, tmp_path: Path) -> None:
    with pytest.raises(VerifyError):
        read_access(a_kubeconfig(tmp_path, **{"client-key-data": data}))


def test_a_bearer_token_is_refused(tmp_path: Path) -> None:
    """SEC-31: the user's file holds a client certificate and nothing else."""
    with pytest.raises(VerifyError) as caught:
        read_access(a_kubeconfig(tmp_path, token=SECRET))
    assert caught.value.details == "fields that are not used: user.token"
