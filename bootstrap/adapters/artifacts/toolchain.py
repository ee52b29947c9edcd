"""Find a Go that is new enough, on PATH or among those that we installed."""

import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bootstrap.adapters.process import run
from bootstrap.errors import HostError

_VERSION_TIMEOUT_S = 60
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
    known = (inspect(program) for program in [*candidates, installed_program(cache, required)])
    return next((go for go in known if go is not None and go.version >= required), None)


def inspect(program: Path) -> Toolchain | None:
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


def toolchain_home(cache: Path, required: Version) -> Path:
    """Name the directory of a Go that is installed for want of one on PATH."""
    return cache / "go" / f"at-least-{version_text(required).replace('.', '-')}"


def installed_program(cache: Path, required: Version) -> Path:
    """Name the program of a Go that is installed for want of one on PATH."""
    # Not bin/go, a script that runs whichever package `go` its Python finds first.
    return toolchain_home(cache, required) / "go" / "bin" / "go"


def version_text(version: Version) -> str:
    """Write a version as Go does."""
    return ".".join(map(str, version))


def _go_line(text: str) -> Version:
    found = _GO_LINE.search(text)
    assert found is not None  # noqa: S101 - a go.mod of ours without a go line does not build
    return int(found[1]), int(found[2]), int(found[3] or 0)
