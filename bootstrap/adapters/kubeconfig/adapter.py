"""The user's kubeconfig, as the workflow asks for it."""

import os
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from bootstrap.adapters.failures import explained
from bootstrap.adapters.kubeconfig.reading import read_document, read_text
from bootstrap.adapters.kubeconfig.user import check_user, merge_into_user, remove_from_user
from bootstrap.model.names import ClusterName


class KubeconfigFiles:
    """Implements :class:`bootstrap.ports.UserKubeconfig` on the files that kubectl reads."""

    def __init__(self, install_id: UUID) -> None:
        self._install_id = install_id

    @explained("read the user's kubeconfig")
    def check(self, cluster: ClusterName) -> None:
        """See the port."""
        check_user(cluster, self._install_id, os.environ)

    @explained("merge the kubeconfig")
    def ensure_entries(self, own: Path, *, use: bool) -> Path:
        """See the port."""
        document = read_document(own, read_text(own))
        return merge_into_user(document, use=use, install_id=self._install_id, environ=os.environ)

    @explained("clean the kubeconfig")
    def remove_entries(self, cluster: ClusterName) -> Sequence[str]:
        """See the port."""
        return remove_from_user(cluster, self._install_id, os.environ)
