"""Everything that a host without a network needs, in one file."""

from __future__ import annotations  # the workflow is imported for type checks only

from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap import workflow
from bootstrap.api.runs import Runs
from bootstrap.model.bundle import Bundle
from bootstrap.model.sources import Source
from bootstrap.model.versions import DEFAULT_VERSION

if TYPE_CHECKING:
    from bootstrap.workflow.bundling import BundleUse


class Bundling(Runs):
    """Bundles, which take artefacts, node image and this tool to other hosts."""

    def create_bundle(
        self,
        file: Path,
        kubernetes_version: str = DEFAULT_VERSION,
        source: Source = Source.AUTO,
    ) -> Bundle:
        """Write a bundle into a new file, building the node image if there is none.

        :raises UsageError: if the file exists.
        """
        with self.run("bundle create") as ports:
            return workflow.bundling.create_bundle(
                kubernetes_version, file.absolute(), ports, source=source
            )

    def use_bundle(self, file: Path) -> BundleUse:
        """Check a bundle, and take what is in it and not here.

        Only from people whom you trust with this host.
        """
        with self.run("bundle use") as ports:
            return workflow.bundling.use_bundle(file.absolute(), ports)

    def bundle(self, file: Path) -> Bundle:
        """Return what the manifest of a bundle says."""
        with self.run("bundle show") as ports:
            return ports.bundles.read(file.absolute())
