"""`bootstrap artifacts`."""

import click

from bootstrap.cli import wiring
from bootstrap.cli.console import StepProgress
from bootstrap.cli.output import output_option, table, write
from bootstrap.model.versions import DEFAULT_VERSION


@click.group()
def artifacts() -> None:
    """Build, list and prune what Kubernetes is installed from."""


@artifacts.command()
@click.option("--kubernetes-version", default=DEFAULT_VERSION, show_default=True)
@output_option
def build(kubernetes_version: str, output: str) -> None:
    """Build every program and container image; about 15 minutes on 2 cores, once."""
    progress = StepProgress()
    progress.step(f"Building the artefacts of Kubernetes {kubernetes_version}")
    built = wiring.build_artifacts(wiring.find_site(), progress).ensure(kubernetes_version)
    data = {
        "directory": str(built.directory),
        "digest": built.digest,
        "programs": {name: str(path) for name, path in sorted(built.binaries.items())},
        "images": str(built.image_archive),
    }
    write(output, data, text=str(built.directory), names=sorted(built.binaries))


@artifacts.command(name="list")
@output_option
def list_artifacts(output: str) -> None:
    """List what is in the cache."""
    found = wiring.build_artifacts(wiring.find_site(), StepProgress()).list()
    data = [
        {
            "name": item.name,
            "version": item.version,
            "sizeBytes": item.size_bytes,
            "sha256": item.sha256,
            "path": str(item.path),
        }
        for item in found
    ]
    rows = [[item.name, item.version, item.size_bytes, item.sha256[:16]] for item in found]
    text = table(["NAME", "VERSION", "BYTES", "SHA256"], rows) if rows else "Nothing is built."
    write(output, data, text=text, names=[item.name for item in found])


@artifacts.command()
@output_option
def prune(output: str) -> None:
    """Remove what earlier versions of this tool or of Go have built."""
    removed = list(wiring.build_artifacts(wiring.find_site(), StepProgress()).prune())
    text = "\n".join(removed) or "Nothing to remove."
    write(output, {"removed": removed}, text=text, names=removed)
