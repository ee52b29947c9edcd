"""Build one program with Go."""

import hashlib
import json
import shlex
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bootstrap.adapters.artifacts.go.components import Component
from bootstrap.adapters.artifacts.go.toolchain import Toolchain, go_environment
from bootstrap.adapters.files import sha256_of
from bootstrap.adapters.process import run, stream
from bootstrap.errors import BootstrapError, HostError

#: Fetching the modules of Kubernetes takes a minute, and ten from a slow mirror.
_FETCH_TIMEOUT_S = 3600
#: Compiled packages per line of progress: Kubernetes has about two thousand.
_PACKAGES_PER_LINE = 200


def build(  # noqa: PLR0913 - each argument is one place or one output
    component: Component,
    output: Path,
    *,
    go: Toolchain,
    modules: Path,
    log: Path,
    progress: Callable[[str], None],
) -> None:
    """Build a component into the file ``output``; the output of Go is appended to ``log``.

    :raises HostError: if its modules are not cached and cannot be fetched.
    :raises BootstrapError: if it does not compile.
    """
    started = time.monotonic()
    progress(f"Building {component.name} {component.version}.")
    directory = modules / component.module
    _fetch(component, go, directory)
    scratch = output.parent / "go-build"
    scratch.mkdir(exist_ok=True)
    compiled = 0

    def count(_: str) -> None:
        nonlocal compiled
        compiled += 1
        if compiled % _PACKAGES_PER_LINE == 0:
            progress(f"Building {component.name}: {compiled} packages compiled.")

    stream(
        [go.program, "build", "-v", *flags(component), "-o", output, component.package],
        action=f"build {component.name} {component.version}",
        log=log,
        line=count,
        env={**go_environment(), "GOTMPDIR": str(scratch)},
        cwd=directory,
        hint=f"Read the output of Go: less {shlex.quote(str(log))}",
    )
    progress(f"Built {component.name} in {time.monotonic() - started:.0f} s.")


def flags(component: Component) -> Sequence[str]:
    """Return the flags of ``go build`` that decide the bytes of a component."""
    stamps = [word for stamp in component.stamps for word in ("-X", stamp)]
    return ["-trimpath", *_tags(component), "-ldflags", " ".join(["-s", "-w", *stamps])]


def inputs_digest(kubernetes_version: str, components: Sequence[Component], modules: Path) -> str:
    """Hash everything that decides what is built, except the Go release that builds it."""
    sources = {
        f"{name}/{path.name}": sha256_of(path)
        for name in {component.module for component in components}
        for path in (modules / name).iterdir()
        if path.name in {"go.mod", "go.sum"}
        or (path.suffix == ".go" and not path.name.endswith("_test.go"))
    }
    commands = {
        component.name: [component.module, component.package, *flags(component)]
        for component in components
    }
    text = json.dumps([kubernetes_version, sources, commands], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _fetch(component: Component, go: Toolchain, directory: Path) -> None:
    try:
        # Unlike `go mod download`, this fetches only the modules that the program needs.
        run(
            [go.program, "list", "-deps", *_tags(component), component.package],
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


def _tags(component: Component) -> Sequence[str]:
    return ["-tags", ",".join(component.tags)] if component.tags else []
