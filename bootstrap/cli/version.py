"""`bootstrap version`."""

import platform

import click

from bootstrap import __version__
from bootstrap.cli.output import output_option, write
from bootstrap.model.versions import SUPPORTED_VERSIONS


@click.command()
@output_option
def version(output: str) -> None:
    """Print the version of this tool and of the Kubernetes it installs."""
    data = {
        "bootstrap": __version__,
        "kubernetes": list(SUPPORTED_VERSIONS),
        "python": platform.python_version(),
    }
    text = f"bootstrap {__version__} (Kubernetes {', '.join(SUPPORTED_VERSIONS)})"
    write(output, data, text=text, names=[__version__])
