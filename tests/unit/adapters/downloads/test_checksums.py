"""A checksum is taken only if it is, beyond doubt, that of the file."""

import pytest

from bootstrap.adapters.downloads.checksums import checksum_of
from bootstrap.errors import BootstrapError

URL = "https://releases.example/file.sha256"
SHA, OTHER = "ab" * 32, "cd" * 32
NAME = "containerd-2.4.2-linux-amd64.tar.gz"
SIGNED = f"""-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA512

{SHA}  runc.amd64
{OTHER}  runc.arm64
-----BEGIN PGP SIGNATURE-----

iQIzBAEBCgAdFiEE
-----END PGP SIGNATURE-----
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (NAME, SHA),
        (NAME, f"{SHA}\n"),
        (NAME, f"{SHA}  {NAME}\n"),
        (NAME, f"{SHA} *{NAME}"),
        (NAME, f"{SHA}  ./{NAME}\r\n{OTHER}  other.tgz\r\n"),
        (NAME, f"{SHA}  {NAME}\n{SHA}  bin/{NAME}\n"),
        ("kubeadm", f"{OTHER}  bin/linux/amd64/kubelet\n{SHA}  bin/linux/amd64/kubeadm"),
        ("runc.amd64", SIGNED),
    ],
)
def test_the_checksum_of_a_file(name: str, text: str) -> None:
    assert checksum_of(name, text.encode(), URL) == SHA


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file of checksums is empty"),
        (" \n", "the file of checksums is empty"),
        (SHA[:-1], "no checksum of"),
        (SHA.upper(), "no checksum of"),
        (f"{SHA}{SHA}", "no checksum of"),
        (f"{SHA}\n{OTHER}", "no checksum of"),
        (
            f"{SHA}  containerd-2.4.1-linux-amd64.tar.gz",
            f"no checksum of '{NAME}' in it, but of containerd-2.4.1-linux-amd64.tar.gz",
        ),
        (f"{SHA}  {NAME}\n{OTHER}  {NAME}", "two different checksums"),
        (f"{SHA}  x{NAME}", "no checksum of"),
        ("<html>404</html>", "but of no file at all"),
        ("Not Found", "but of no file at all"),
        ("\xff\xfe", "but of no file at all"),
    ],
)
def test_a_text_without_a_checksum_of_the_file_is_refused(text: str, words: str) -> None:
    with pytest.raises(BootstrapError, match=URL) as caught:
        checksum_of(NAME, text.encode("latin-1"), URL)
    assert words in caught.value.message
