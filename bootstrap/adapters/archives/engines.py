"""Get an image out of a container engine of this host, as a file."""

import shutil
from pathlib import Path

from bootstrap.adapters.process import run
from bootstrap.errors import BootstrapError, UsageError
from bootstrap.model.references import full_reference

_TIMEOUT_S = 1800
#: Program -> its words before the file and the image's name.
_ENGINES = {
    "docker": ("save", "--output"),
    "podman": ("save", "--format", "docker-archive", "--output"),
    "nerdctl": ("save", "--output"),
}


def save_image(name: str, file: Path) -> None:
    """Write the image of that name to ``file``, from the first engine that has it.

    :raises UsageError: if ``name`` is neither a file nor an image that an engine has.
    """
    faults = ["There is no such file."]
    try:
        full_reference(name)
    except ValueError as error:
        raise _not_found(name, [*faults, f"{error}."]) from error
    programs = [program for program in _ENGINES if shutil.which(program)]
    for program in programs:
        try:
            run(
                [program, *_ENGINES[program], file, name],
                action=f"save image '{name}' with {program}",
                timeout_s=_TIMEOUT_S,
            )
        except BootstrapError as error:
            faults.append(error.summary)
        else:
            return
    if not programs:
        faults.append(f"None of {', '.join(_ENGINES)} is installed, which could have the image.")
    raise _not_found(name, faults)


def _not_found(name: str, faults: list[str]) -> UsageError:
    return UsageError(
        f"Could not find '{name}', neither as an archive nor as an image.",
        details="\n".join(faults),
        hint="bootstrap image load --help",
    )
