"""`bootstrap bundle`: all that a host without a network needs, in one file."""

from pathlib import Path

import click

from bootstrap.cli.context import client
from bootstrap.cli.options import source_option
from bootstrap.cli.output import output_option, write
from bootstrap.cli.reporting import reporting_options
from bootstrap.cli.sizes import bytes_text
from bootstrap.model.bundle import Bundle
from bootstrap.model.sources import Source
from bootstrap.model.versions import DEFAULT_VERSION
from bootstrap.planning.bundle_readme import instructions
from bootstrap.ports import RunEvents
from bootstrap.resources import debian_packages

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_existing_file = click.argument("file", type=_FILE)


@click.group()
def bundle() -> None:
    """Take Kubernetes, the node image and this tool to hosts without a network, in one file."""


@bundle.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--kubernetes-version", default=DEFAULT_VERSION, show_default=True)
@source_option
@output_option
@reporting_options
def create(
    file: Path, kubernetes_version: str, source: Source, output: str, events: RunEvents
) -> None:
    """Write one new FILE from which a host without a network makes clusters.

    What is missing is built first. The steps on the other host are in it, and are printed.
    """
    made = client(events=events).create_bundle(file, kubernetes_version, source)
    text = f"Bundle '{file}' is written.\n\n{instructions(made, file.name)}"
    write(output, _data(made), text=text.rstrip(), names=[str(file)], events=events)


@bundle.command()
@_existing_file
@output_option
@reporting_options
def use(file: Path, output: str, events: RunEvents) -> None:
    """Check a FILE of `create`, and keep what is in it, so that `up` needs no network.

    Only from people whom you trust with this host.
    """
    used = client(events=events).use_bundle(file)
    taken = [used.bundle.keys[part] for part in used.taken]
    said = "is here, so nothing was changed" if not taken else "is here now"
    version = used.bundle.kubernetes_version
    options = "" if version == DEFAULT_VERSION else f" --kubernetes-version {version}"
    options += "" if used.source is Source.AUTO else f" --source {used.source}"
    text = f"All of bundle '{file}' {said}. No network is needed by:\nbootstrap up{options}"
    data = {
        "kubernetesVersion": version,
        "source": used.source.value,
        "taken": {part.value: used.bundle.keys[part] for part in used.taken},
    }
    write(output, data, text=text, names=taken, events=events)


@bundle.command()
@_existing_file
@output_option
def show(file: Path, output: str) -> None:
    """Show what is in a FILE of `create`, by its manifest, and the steps on the other host."""
    found = client().bundle(file)
    rows = [
        f"Kubernetes   {found.kubernetes_version}",
        f"bootstrap    {found.tool_version}",
        f"created      {found.created}",
        f"files        {len(found.files)}, {bytes_text(found.size_bytes)}",
    ]
    text = "\n".join([*rows, "", instructions(found, file.name).rstrip()])
    write(output, _data(found), text=text, names=list(found.files))


def _data(found: Bundle) -> dict[str, object]:
    return {
        "kubernetesVersion": found.kubernetes_version,
        "toolVersion": found.tool_version,
        "created": found.created,
        "machine": found.machine,
        "pythonVersion": found.python,
        "keys": {part.value: key for part, key in found.keys.items()},
        "wheels": found.wheels,
        "debianPackages": list(debian_packages("run")),
        "sizeBytes": found.size_bytes,
        "files": [
            {"name": name, "sizeBytes": one.size_bytes, "sha256": one.sha256}
            for name, one in found.files.items()
        ],
    }
