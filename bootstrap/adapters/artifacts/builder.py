"""Build one component with Go."""

import hashlib
import json
import shlex
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bootstrap.adapters.artifacts.lock import Component, Lock
from bootstrap.adapters.artifacts.store import sha256_of
from bootstrap.adapters.artifacts.toolchain import Toolchain, go_environment
from bootstrap.adapters.process import run, stream
from bootstrap.errors import BootstrapError, HostError

#: Fetching the modules of Kubernetes takes a minute, and a slow mirror ten.
_FETCH_TIMEOUT_S = 3600
#: A line of progress per so many compiled packages: Kubernetes has about two thousand.
_PACKAGES_PER_LINE = 200


def build(  # noqa: PLR0913 - each argument is one place or one voice
    component: Component,
    *,
    go: Toolchain,
    modules: Path,
    output: Path,
    log: Path,
    progress: Callable[[str], None],
) -> None:
    """Build a component into the file ``output``; what Go says goes to ``log`` too.

    :raises HostError: if its modules are not here and cannot be fetched.
    :raises BootstrapError: if it does not compile.
    """
    started = time.monotonic()
    progress(f"Building {component.name} {component.version}.")
    _fetch(component, go, modules)
    scratch = output.parent / "go-build"
    scratch.mkdir(exist_ok=True)
    stream(
        [go.program, "build", "-v", *flags(component), "-o", output, component.package],
        action=f"build {component.name} {component.version}",
        log=log,
        line=_Counter(component.name, progress).line,
        env={**go_environment(), "GOTMPDIR": str(scratch)},
        cwd=modules / component.module,
        hint=f"Read what Go said: less {shlex.quote(str(log))}",
    )
    progress(f"Built {component.name} in {time.monotonic() - started:.0f} s.")


def flags(component: Component) -> Sequence[str]:
    """Give what decides the bytes of a component, besides its sources and the Go version."""
    stamps = [word for stamp in component.stamps for word in ("-X", stamp)]
    tags = ["-tags", ",".join(component.tags)] if component.tags else []
    return ["-trimpath", *tags, "-ldflags", " ".join(["-s", "-w", *stamps])]


def inputs_digest(lock: Lock, modules: Path) -> str:
    """Hash all that decides what is built, except the Go that builds it."""
    sources = {
        f"{name}/{path.name}": sha256_of(path)
        for name in {component.module for component in lock.components}
        for path in (modules / name).iterdir()
        if path.name in {"go.mod", "go.sum"}
        or (path.suffix == ".go" and not path.name.endswith("_test.go"))
    }
    commands = {
        component.name: [component.module, component.package, *flags(component)]
        for component in lock.components
    }
    text = json.dumps([lock.kubernetes_version, sources, commands], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _fetch(component: Component, go: Toolchain, modules: Path) -> None:
    directory = modules / component.module
    tags = ["-tags", ",".join(component.tags)] if component.tags else []
    try:
        # Unlike `go mod download`, this fetches only what the program is made of.
        run(
            [go.program, "list", "-deps", *tags, component.package],
            action=f"fetch the Go modules of {component.name}",
            timeout_s=_FETCH_TIMEOUT_S,
            env=go_environment(),
            cwd=directory,
        )
    except BootstrapError as error:
        raise HostError(
            f"Could not fetch the Go modules of {component.name} {component.version}.",
            details=error.details,
            hint=f"Try it by hand: cd {shlex.quote(str(directory))} && "
            f"{shlex.quote(str(go.program))} mod download",
        ) from error


class _Counter:
    """Turns Go's line per package into a line now and then."""

    def __init__(self, name: str, progress: Callable[[str], None]) -> None:
        self._name = name
        self._progress = progress
        self._count = 0

    def line(self, _: str) -> None:
        self._count += 1
        if self._count % _PACKAGES_PER_LINE == 0:
            self._progress(f"Building {self._name}: {self._count} packages compiled.")
