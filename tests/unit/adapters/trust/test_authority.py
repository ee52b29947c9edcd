import base64
import dataclasses
import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from bootstrap.adapters.trust.authority import Authorities, ca_certificate_hash, make_authorities
from bootstrap.adapters.trust.user_certificate import make_user_certificate
from bootstrap.model.keys import CertificatePair
from bootstrap.model.names import ClusterName

Files = dict[str, str]

NOW = datetime(2030, 1, 1, tzinfo=UTC)
TREE = {
    "ca.crt": "kubernetes",
    "etcd/ca.crt": "etcd-ca",
    "front-proxy-ca.crt": "front-proxy-ca",
}


def certificate(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


@pytest.mark.parametrize(("file", "common_name"), TREE.items())
def test_each_authority_is_as_kubeadm_makes_it(file: str, common_name: str) -> None:
    made = certificate(make_authorities(NOW).files()[file])
    assert made.subject.rfc4514_string() == f"CN={common_name}"
    assert made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = made.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.key_cert_sign
    made.verify_directly_issued_by(made)


def test_an_authority_lasts_ten_years_and_began_yesterday() -> None:
    """J-02: a node's clock may be behind."""
    made = certificate(make_authorities(NOW).cluster.certificate_pem)
    assert made.not_valid_before_utc == NOW - timedelta(days=1)
    assert made.not_valid_after_utc == NOW + timedelta(days=3650)


def test_the_files_are_those_of_kubeadm() -> None:
    expected = {"sa.key", "sa.pub", *TREE, *(name.replace(".crt", ".key") for name in TREE)}
    assert set(make_authorities(NOW).files()) == expected


def test_keys_are_written_as_kubeadm_writes_them() -> None:
    files = make_authorities(NOW).files()
    for name in ("ca.key", "sa.key"):
        assert files[name].startswith("-----BEGIN EC PRIVATE KEY-----\n")
    assert files["sa.pub"].startswith("-----BEGIN PUBLIC KEY-----\n")


def test_reading_back_gives_the_same() -> None:
    made = make_authorities(NOW)
    assert Authorities.from_files(made.files()) == made


def test_no_key_is_shown_when_authorities_are_printed() -> None:
    """H-16."""
    assert "PRIVATE" not in repr(make_authorities(NOW))


FAULTS: dict[str, Callable[[Files, Files], Files]] = {
    "key of another certificate": lambda files, other: (
        files | {"etcd/ca.key": other["etcd/ca.key"]}
    ),
    "another service account key": lambda files, other: files | {"sa.pub": other["sa.pub"]},
    "no key": lambda files, _: {name: files[name] for name in files if name != "ca.key"},
    "damaged certificate": lambda files, _: files | {"ca.crt": files["ca.crt"][:200]},
    "key in place of a certificate": lambda files, _: files | {"ca.crt": files["ca.key"]},
    "certificate in place of a key": lambda files, _: files | {"ca.key": files["ca.crt"]},
    "empty key": lambda files, _: files | {"sa.key": ""},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_set_that_does_not_fit_together_is_refused(fault: str) -> None:
    files, other = make_authorities(NOW).files(), make_authorities(NOW).files()
    with pytest.raises(ValueError, match=r"."):
        Authorities.from_files(FAULTS[fault](files, other))


def test_a_certificate_that_is_no_authority_is_refused() -> None:
    made = make_authorities(NOW)
    leaf = make_user_certificate(ClusterName("demo"), made.cluster, NOW)
    with pytest.raises(ValueError, match="not that of an authority"):
        Authorities.from_files(dataclasses.replace(made, etcd=leaf).files())


def test_the_hash_is_of_the_public_key_alone() -> None:
    """J-08: checked against the PEM that OpenSSL's way of asking gives."""
    pem = make_authorities(NOW).cluster.certificate_pem
    public = (
        certificate(pem)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    der = base64.b64decode(b"".join(public.splitlines()[1:-1]))
    assert ca_certificate_hash(pem) == f"sha256:{hashlib.sha256(der).hexdigest()}"


def kubeadm(directory: Path, *words: str) -> str:
    program = os.environ.get("BOOTSTRAP_KUBEADM")
    if not program:
        pytest.skip("BOOTSTRAP_KUBEADM does not name a kubeadm")
    config = directory.parent / "kubeadm.json"
    config.write_text(
        json.dumps(
            {
                "apiVersion": "kubeadm.k8s.io/v1beta4",
                "kind": "ClusterConfiguration",
                "kubernetesVersion": "v1.37.2",
                "certificatesDir": str(directory),
                "encryptionAlgorithm": "ECDSA-P256",
                "controlPlaneEndpoint": "127.0.0.1:6443",
            }
        )
    )
    done = subprocess.run(
        [program, *words, "--config", str(config)],
        check=True,
        capture_output=True,
        text=True,
        timeout=100,
    )
    return done.stdout + done.stderr


@pytest.mark.shows_secrets("*/pki/*.key")  # where kubeadm wants them
def test_kubeadm_signs_with_our_authorities(tmp_path: Path) -> None:
    pki, made = tmp_path / "pki", make_authorities(datetime.now(UTC))
    for name, text in made.files().items():
        (pki / name).parent.mkdir(parents=True, exist_ok=True)
        (pki / name).write_text(text)
    said = kubeadm(pki, "init", "phase", "certs", "all")
    assert said.count("Using existing") == 3
    assert 'Using the existing "sa" key' in said
    signed: list[tuple[str, CertificatePair]] = [
        ("apiserver.crt", made.cluster),
        ("apiserver-kubelet-client.crt", made.cluster),
        ("front-proxy-client.crt", made.front_proxy),
        ("etcd/server.crt", made.etcd),
        ("apiserver-etcd-client.crt", made.etcd),
    ]
    for name, authority in signed:
        leaf = certificate((pki / name).read_text())
        leaf.verify_directly_issued_by(certificate(authority.certificate_pem))
        assert leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier) is not None
    assert {name: (pki / name).read_text() for name in made.files()} == made.files()
