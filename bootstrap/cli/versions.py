"""`bootstrap versions`."""

from __future__ import annotations  # the results are imported for type checks only

from typing import TYPE_CHECKING

import click

from bootstrap.cli.context import client
from bootstrap.cli.output import output_option, table, write
from bootstrap.model.versions import DEFAULT_VERSION

if TYPE_CHECKING:
    from bootstrap.api.results import Offer


@click.command()
@output_option
def versions(output: str) -> None:
    """List the Kubernetes versions that can be had, and from which source; newest first."""
    found = client().versions()
    rows = [
        [
            offer.version,
            offer.source,
            offer.support_end.isoformat(),
            "built" if offer.is_built else "not built",
            "default" if offer.version == DEFAULT_VERSION else "",
        ]
        for offer in found
    ]
    text = table(["VERSION", "SOURCE", "SUPPORT ENDS", "NODE IMAGE", ""], rows)
    names = dict.fromkeys(offer.version for offer in found)
    write(output, [_data(offer) for offer in found], text=text, names=names)


def _data(offer: Offer) -> dict[str, object]:
    return {
        "version": offer.version,
        "source": offer.source,
        "default": offer.version == DEFAULT_VERSION,
        "supportEnds": offer.support_end.isoformat(),
        "imageBuilt": offer.is_built,
    }
