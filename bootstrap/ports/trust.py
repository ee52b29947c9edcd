"""A cluster's keys and certificates."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Protocol

from bootstrap.model.keys import CertificatePair, NodeKeys
from bootstrap.model.names import ClusterName


class Trust(Protocol):
    """Keys and certificates of one cluster, made on this host and kept.

    A kept key is returned again; a lost one is made anew and differs.

    :raises StateError: by every method that reads a kept file, if that file is damaged.
    """

    def certificates(self) -> Mapping[str, str]:
        """Return the authorities' files by their path under /etc/kubernetes/pki."""

    def authority_hash(self) -> str:
        """Return kubeadm's hash of the cluster's CA certificate."""

    def user_certificate(self, cluster: ClusterName) -> CertificatePair:
        """Return the user's certificate, valid for another month at least."""

    def encryption_key(self) -> str:
        """Return the key, in base64, that encrypts Secrets in etcd."""

    def node_keys(self, node: str) -> NodeKeys:
        """Return the keys that a node's seed carries.

        :raises ValueError: if ``node`` is not a node's name.
        """

    def remove_node_keys(self, node: str) -> bool:
        """Remove the key that only this node has.

        :raises ValueError: as ``node_keys`` does.
        """

    def saved(self, nodes: Collection[str]) -> Mapping[str, str]:
        """Return all secrets that the machines ``nodes`` were made with, by their files' names.

        The user's own certificate, which can be made again, is not among them.
        """

    def restore(self, files: Mapping[str, str], *, with_ssh: bool) -> bool:
        """Keep what ``saved`` returned in the place of what was kept.

        Without SSH keys, those that are kept stay, or new ones are made.

        :raises StateError: if it is anything else; nothing is changed.
        """

    def client_key_file(self) -> Path:
        """Return the path of the private key that logs in on every node."""

    def new_join_token(self) -> str:
        """Return a new join token; it is not kept."""
