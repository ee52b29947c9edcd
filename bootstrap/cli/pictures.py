"""Write a picture into the file that a user named."""

from pathlib import Path

import click

from bootstrap.errors import UsageError
from bootstrap.pictures.clusters.topology import Topology

picture_option = click.option(
    "--picture",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw it too, into a file whose name ends with .svg or .html.",
)
#: The formats of all pictures; the ending of a file's name is that of its format.
FORMATS = ("html", "svg")


def format_of(path: Path, *, hint: str) -> str:
    """Return the format that a file's name ends with.

    :raises UsageError: if it is none, with the hint.
    """
    ending = path.suffix.removeprefix(".").lower()
    if ending not in FORMATS:
        raise UsageError(
            f"'{path}' does not say which format the picture shall have.",
            details=f"Its name ends with none of: {', '.join('.' + one for one in FORMATS)}",
            hint=hint,
        )
    return ending


def write_topology(path: Path, kind: str, topology: Topology) -> None:
    """Draw a cluster in a format of FORMATS into a file.

    :raises UsageError: if the file cannot be written.
    """
    from bootstrap.pictures import drawing  # noqa: PLC0415 - takes time to load

    draw = drawing.topology_svg if kind == "svg" else drawing.topology_html
    write_picture(path, draw(topology))


def write_picture(path: Path, text: str) -> None:
    """Write a picture, over what the file held; ``-`` is stdout.

    :raises UsageError: if the file cannot be written.
    """
    if str(path) == "-":
        click.echo(text, nl=False)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"Could not write the picture to file '{path}'.", details=str(error), hint="df -h"
        ) from error
