"""Whatever looks like a secret is removed, and nothing else."""

import base64
from pathlib import Path

import pytest

from bootstrap.adapters.redaction import known_secrets, without_secrets

BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7" * 2
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\n{BODY}\n-----END RSA PRIVATE KEY-----\n"
JWT = "eyJhbGciOiJSUzI1NiIsImtpZCI6Ii.eyJpc3MiOiJrdWJlcm5ldGVzL3NlcnZpY2.c2lnbmF0dXJl_LXg"


@pytest.mark.parametrize(
    "text",
    [
        PEM,
        PEM.replace("\n", "\\n"),
        PEM.partition("-----END")[0],
        f"client-key-data: {base64.b64encode(PEM.encode()).decode()}",
        f"Authorization: Bearer {JWT}",
        f"the token {JWT} is not valid",
        "authorization: basic dXNlcjpwYXNzd29yZA==",
        "kubeadm join --token abcdef.0123456789abcdef 10.0.0.1",
        "password=correct-horse",
        '"password": "correct-horse"',
        "API_KEY: sk-0123456789",
    ],
)
def test_a_secret_is_removed(text: str) -> None:
    shown = without_secrets(f"before {text} after")
    assert "(removed)" in shown
    assert shown.startswith("before ")
    in_base64 = base64.b64encode(PEM.encode()).decode()[20:60]
    secrets = (BODY[:40], in_base64, JWT, "dXNlcjpw", "6789abcdef", "correct-horse", "sk-0123")
    assert [secret for secret in secrets if secret in shown] == []


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "pulled registry.k8s.io/kube-apiserver:v1.37.2 sha256:" + "a1b2" * 16,
        "node worker2.demo.svc.cluster.local has address 10.44.0.3",
        "secretName: default-token, kind: Secret, token=short",
        "tokens are rotated each day",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert without_secrets(text) == text


def test_the_lines_of_a_clusters_keys_are_known(tmp_path: Path) -> None:
    (tmp_path / "pki").mkdir()
    (tmp_path / "ssh").mkdir()
    (tmp_path / "pki" / "authorities.json").write_text(PEM.replace("\n", "\\n"))
    (tmp_path / "pki" / "encryption-key").write_text("k" * 44 + "\n")
    (tmp_path / "ssh" / "config").write_text("c" * 60)
    for secret in (tmp_path / "pki").iterdir():
        secret.chmod(0o600)
    known = known_secrets(tmp_path)
    assert known == {BODY, "k" * 44}
    assert without_secrets(f"{BODY[:10]} {BODY} {'k' * 44}", known) == (
        f"{BODY[:10]} (removed) (removed)"
    )


def test_a_cluster_without_keys_has_none(tmp_path: Path) -> None:
    assert known_secrets(tmp_path) == frozenset()
