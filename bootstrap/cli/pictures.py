"""Write a picture into the file that a user named."""

from pathlib import Path

import click

from bootstrap.errors import UsageError

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
