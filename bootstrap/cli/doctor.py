"""`bootstrap doctor`."""

import sys

import click

from bootstrap.cli.context import client
from bootstrap.cli.options import hypervisor_option, source_option
from bootstrap.cli.output import output_option, write
from bootstrap.errors import HostError
from bootstrap.model.sources import Source


@click.command()
@hypervisor_option
@source_option
@output_option
def doctor(hypervisor_uri: str | None, source: Source, output: str) -> None:
    """Run real checks of this host, and print the command that mends each fault.

    Exit code 3 if something that `up` needs is missing.
    """
    findings = client(hypervisor_uri).diagnose(source)
    data = [
        {
            "name": item.name,
            "ok": item.ok,
            "found": item.found,
            "fix": item.fix if not item.ok else "",
        }
        for item in findings
    ]
    lines = []
    for item in findings:
        lines.append(f"{'ok    ' if item.ok else 'FAILED'} {item.name}: {item.found}")
        if not item.ok:
            lines.append(f"       {item.fix}")
    write(output, data, text="\n".join(lines), names=[item.name for item in findings if item.ok])
    if not all(item.ok for item in findings):
        sys.exit(HostError.exit_code)
