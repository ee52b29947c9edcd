"""Find a Go release that is new enough, on PATH or in the cache."""

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bootstrap.adapters.process import run
from bootstrap.errors import HostError

_VERSION_TIMEOUT_S = 60
_VERSION = re.compile(r"go version go(\d+)\.(\d+)(?:\.(\d+))?.* linux/(\S+)")
_GO_LINE = re.compile(r"^go (\d+)\.(\d+)(?:\.(\d+))?$", re.MULTILINE)

#: Compilers and linkers that collect their garbage less often, as far as each has 2 GiB, compile
#: the same programs in a tenth less time.
_FEWER_COLLECTIONS = {"GOGC": "400", "GOMEMLIMIT": "2GiB"}

Version = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """A Go release that runs."""

    program: Path
    version: Version
    #: The exact release and its platform, such as ``go1.26.8-linux-amd64``.
    name: str
    #: As Go and OCI both name it, such as ``amd64``.
    architecture: str


def go_environment() -> Mapping[str, str]:
    """Return this process's environment with the settings that a reproducible build needs.

    The user's module proxy, checksum database, caches and garbage collection stay in force.
    """
    # GOROOT would select another release's library, GOOS and GOARCH another target.
    foreign = ("GOROOT", "GOOS", "GOARCH", "GOAMD64", "GOEXPERIMENT", "GOWORK")
    own = {key: value for key, value in os.environ.items() if key not in foreign}
    return (
        _FEWER_COLLECTIONS
        | own
        | {
            "CGO_ENABLED": "0",
            "GOFLAGS": "-buildvcs=false -mod=readonly",
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
        }
    )


def required_go(modules: Path) -> Version:
    """Return the oldest Go release that builds every module below ``modules``, by any lock."""
    lines = (_GO_LINE.search(path.read_text()) for path in modules.glob("*/*.mod"))
    return max((int(it[1]), int(it[2]), int(it[3] or 0)) for it in lines if it)


def find_toolchain(cache: Path, required: Version) -> Toolchain | None:
    """Return the Go on PATH, or else the one in the cache, if new enough; installs nothing."""
    on_path = shutil.which("go")
    candidates = [Path(on_path)] if on_path else []
    known = (inspect(program) for program in [*candidates, installed_program(cache, required)])
    return next((go for go in known if go is not None and go.version >= required), None)


def inspect(program: Path) -> Toolchain | None:
    """Return what a Go program reports about itself; None if it does not run."""
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
    """Return the directory in the cache for a Go release that satisfies ``required``."""
    return cache / "go" / f"at-least-{version_text(required).replace('.', '-')}"


def installed_program(cache: Path, required: Version) -> Path:
    """Return the path of the Go program in the cache, which need not exist."""
    # Not bin/go, a script that runs the first package `go` on the Python path.
    return toolchain_home(cache, required) / "go" / "bin" / "go"


def version_text(version: Version) -> str:
    """Write a version as Go does, such as ``1.26.8``."""
    return ".".join(map(str, version))
