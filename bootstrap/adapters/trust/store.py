"""Store the keys and certificates of a cluster: created once, private, complete or absent."""

import json
import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path

from bootstrap.adapters.failures import explained
from bootstrap.adapters.files import private_directory, sweep, write_atomically
from bootstrap.adapters.marker import claim, remove_part
from bootstrap.adapters.trust.authority import Authorities, make_authorities
from bootstrap.adapters.trust.encryption_key import make_encryption_key, read_encryption_key
from bootstrap.adapters.trust.ssh_keys import SshKeyPair, make_ssh_key_pair
from bootstrap.adapters.trust.user_certificate import (
    is_usable_user_certificate,
    make_user_certificate,
)
from bootstrap.errors import StateError
from bootstrap.model.keys import CertificatePair, check_alias
from bootstrap.model.names import ClusterName

_AUTHORITIES, _ENCRYPTION_KEY = "pki/authorities.json", "pki/encryption-key"
_CLIENT = "ssh/client"
_SSH_KEY = re.compile(r"ssh/(client|host-(?P<node>.+))")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class TrustStore:
    """The keys and certificates of one cluster, under its state directory.

    Each set is one file that is replaced in one step, so that a kill at any moment leaves
    the complete set or nothing. The caller holds the lock of the cluster.
    """

    def __init__(self, directory: Path, *, clock: Callable[[], datetime] = _utc_now) -> None:
        self._directory = directory
        self._clock = clock

    @property
    def client_key_file(self) -> Path:
        """The path of the private key, for ``ssh -i``."""
        return self._directory / "ssh" / "client"

    @explained("keep the authorities of the cluster")
    def ensure_authorities(self) -> Authorities:
        """Return the authorities of the cluster; the first call creates them.

        :raises StateError: if the file is damaged. It is kept: new authorities would lock
            the user out of the running cluster.
        """
        self._open("pki")
        path = self._directory / _AUTHORITIES
        text = _read(path)
        if text is None:
            created = make_authorities(self._clock())
            write_atomically(path, json.dumps(created.files(), indent=2) + "\n")
            return created
        try:
            return Authorities.from_files(_mapping(text))
        except ValueError as error:
            raise _damaged(path, error) from error

    @explained("keep the user's certificate")
    def ensure_user_certificate(self, cluster: ClusterName) -> CertificatePair:
        """Return the user's certificate; a new one if the old one is not usable for a month."""
        authority, now = self.ensure_authorities().cluster, self._clock()
        path = self._directory / "pki" / "user.json"
        known = _read_pair(path)
        if known is not None and is_usable_user_certificate(known, cluster, authority, now):
            return known
        created = make_user_certificate(cluster, authority, now)
        content = {"user.crt": created.certificate_pem, "user.key": created.key_pem}
        write_atomically(path, json.dumps(content, indent=2) + "\n")
        return created

    def ensure_encryption_key(self) -> str:
        """Return the key that encrypts the cluster's Secrets; the first call creates it.

        :raises StateError: if the file is damaged. It is kept: a new key does not decrypt
            the Secrets of the old one.
        """
        self._open("pki")
        path = self._directory / _ENCRYPTION_KEY
        text = _read(path)
        if text is None:
            text = make_encryption_key()
            write_atomically(path, f"{text}\n")
            return text
        try:
            return read_encryption_key(text)
        except ValueError as error:
            raise _damaged(path, error) from error

    def ensure_client_key(self) -> SshKeyPair:
        """Return the key with which this host logs in on every node."""
        return self._ensure_key("client")

    def ensure_host_key(self, node: str) -> SshKeyPair:
        """Return the SSH host key of a node."""
        check_alias(node)
        return self._ensure_key(f"host-{node}")

    @explained("read the keys of the cluster")
    def saved(self, nodes: Collection[str]) -> Mapping[str, str]:
        """Return the text of each file that a machine depends on, by its name."""
        self.ensure_authorities()
        self.ensure_client_key()
        for node in nodes:
            self.ensure_host_key(node)
        wanted = [_AUTHORITIES, _ENCRYPTION_KEY, _CLIENT, *map(_host, nodes)]
        found = {name: _read(self._directory / name) for name in wanted}
        return {name: text for name, text in found.items() if text is not None}

    @explained("restore the keys of the cluster")
    def restore(self, files: Mapping[str, str], *, with_ssh: bool) -> bool:
        """Write what :meth:`saved` returned; without the SSH keys unless they are wanted.

        :raises StateError: if it is anything else; nothing is changed.
        """
        try:
            Authorities.from_files(_mapping(files[_AUTHORITIES]))
            for name, text in files.items():
                _check_saved(name, text)
        except (ValueError, KeyError) as error:
            raise StateError(
                "The keys of the snapshot are damaged.",
                details=str(error),
                hint="bootstrap snapshot list",
            ) from error
        wanted = {name: text for name, text in files.items() if with_ssh or not _is_ssh(name)}
        for directory in {name.partition("/")[0] for name in wanted}:
            self._open(directory)
        changed = [write_atomically(self._directory / name, text) for name, text in wanted.items()]
        return any(changed)

    @explained("remove an SSH key")
    def remove_host_key(self, node: str) -> bool:
        """Remove the SSH host key of a node that is gone; False if there is none."""
        check_alias(node)
        return remove_part(self._directory, _host(node))

    @explained("keep an SSH key")
    def _ensure_key(self, name: str) -> SshKeyPair:
        path = self._open("ssh") / name
        text = _read(path)
        if text is None:
            created = make_ssh_key_pair()
            write_atomically(path, created.private_text)
            return created
        try:
            return SshKeyPair.from_private(text)
        except ValueError as error:
            raise _damaged(path, error) from error

    def _open(self, name: str) -> Path:
        claim(self._directory)
        directory = private_directory(self._directory / name)
        sweep(directory)
        return directory


def saved_client_key(files: Mapping[str, str]) -> SshKeyPair:
    """Return the key for logins that :meth:`TrustStore.saved` returned."""
    return SshKeyPair.from_private(files[_CLIENT])


def saved_host_key(files: Mapping[str, str], node: str) -> SshKeyPair:
    """Return the host key of a node that :meth:`TrustStore.saved` returned."""
    return SshKeyPair.from_private(files[_host(node)])


def _is_ssh(name: str) -> bool:
    return _SSH_KEY.fullmatch(name) is not None


def _host(node: str) -> str:
    return f"ssh/host-{node}"


def _check_saved(name: str, text: str) -> None:
    """Refuse what is no key of a cluster.

    :raises ValueError: with what is wrong.
    """
    if name == _AUTHORITIES:
        return
    if name == _ENCRYPTION_KEY:
        read_encryption_key(text)
        return
    found = _SSH_KEY.fullmatch(name)
    if found is None:
        raise ValueError(f"{name[:60]!r} is no file of a cluster's keys")
    if found["node"] is not None:
        check_alias(found["node"])
    SshKeyPair.from_private(text)


def _read(path: Path) -> str | None:
    """Return the text of a file, None without a file; makes the file private again."""
    try:
        text = path.read_bytes().decode(errors="replace")
    except FileNotFoundError:
        return None
    path.chmod(0o600)
    return text


def _read_pair(path: Path) -> CertificatePair | None:
    # A damaged certificate is replaced: unlike an authority, nothing depends on it.
    try:
        files = _mapping(_read(path) or "")
        return CertificatePair(certificate_pem=files["user.crt"], key_pem=files["user.key"])
    except (ValueError, KeyError):
        return None


def _mapping(text: str) -> dict[str, str]:
    content = json.loads(text)
    if not isinstance(content, dict) or not all(isinstance(v, str) for v in content.values()):
        raise ValueError("the file is not a mapping of names to texts")
    return content


def _damaged(path: Path, error: ValueError) -> StateError:
    return StateError(
        f"The file '{path}' is damaged.",
        details=f"{error}\nIt was kept. Restore it from a backup, or remove the cluster.",
        hint=f"bootstrap down {path.parent.parent.name}",
    )
