"""Build programs with Go."""

import hashlib
import json
import re
import shlex
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path

from bootstrap.adapters.artifacts.go.components import Component
from bootstrap.adapters.artifacts.go.toolchain import Toolchain, go_environment
from bootstrap.adapters.files import sha256_of
from bootstrap.adapters.process import stream
from bootstrap.errors import BootstrapError, HostError
from bootstrap.model.events import Unit
from bootstrap.model.versions import NEWEST_LOCK
from bootstrap.ports import Events

#: Fetching the modules of Kubernetes takes a minute, and ten from a slow mirror.
_FETCH_TIMEOUT_S = 3600
#: What Go prints for each module that it downloads, and has to print for what it would compile.
_DOWNLOADING, _STALE = "go: downloading ", "{{if .Stale}}{{.ImportPath}}{{end}}"
_IMPORT_PATH = re.compile(r"[^\s:]+")
_COMPILING = "Compiling the programs"


@dataclass(kw_only=True)
class Builder:
    """Builds components of one set, and reports how far it is with all of them.

    Threads may share it.
    """

    go: Toolchain
    #: The directory of the modules' own directories.
    modules: Path
    #: Gets the output of Go.
    log: Path
    events: Events
    #: Packages that have been compiled, of those that have to be.
    _compiled: int = 0
    _wanted: int = 0
    #: Modules of which it is not known yet what has to be compiled.
    _unknown: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def works(
        self, components: Sequence[Component], build: Callable[[Component], object]
    ) -> Sequence[Callable[[], None]]:
        """Return a piece of work for each module: fetch what it needs, then build its components.

        A piece waits for no other, so that one is fetched while another is compiled.
        """
        modules = [list(group) for _, group in groupby(components, key=lambda one: one.module)]
        self._unknown = len(modules)
        return [partial(self._make, module, build) for module in modules]

    def _make(self, module: Sequence[Component], build: Callable[[Component], object]) -> None:
        self.fetch(module)
        for component in module:
            build(component)

    def fetch(self, components: Sequence[Component]) -> None:
        """Fetch what components of one module need, and learn how much there is to compile.

        :raises HostError: if it is not cached and cannot be fetched.
        """
        stale = self._fetch(components)
        with self._lock:
            self._wanted += stale
            self._unknown -= 1

    def build(self, component: Component, output: Path) -> None:
        """Build a component, whose modules are there, into the file ``output``.

        :raises BootstrapError: if it does not compile.
        """
        started = time.monotonic()
        self._report(0)
        scratch = output.parent / "go-build"
        scratch.mkdir(exist_ok=True)

        def count(_: str) -> None:
            self._report(1)

        stream(
            [self.go.program, "build", "-v", *flags(component), "-o", output, component.package],
            action=f"build {component.name} {component.version}",
            log=self.log,
            line=count,
            env={**go_environment(), "GOTMPDIR": str(scratch)},
            cwd=self.modules / component.module,
            hint=f"Read the output of Go: less {shlex.quote(str(self.log))}",
        )
        took_s = time.monotonic() - started
        self.events.note(f"Built {component.name} {component.version} in {took_s:.0f} s.")

    def _report(self, more: int) -> None:
        with self._lock:
            self._compiled += more
            # Programs of one module share packages, so that more may be compiled than was seen.
            total = None if self._unknown > 0 else max(self._wanted, self._compiled + 1)
            self.events.progress(_COMPILING, self._compiled, total, Unit.PACKAGES)

    def _fetch(self, components: Sequence[Component]) -> int:
        """Fetch what components of one module need; return how many packages are not compiled."""
        first = components[0]
        directory = self.modules / first.module
        title = f"Fetching the Go modules of {first.name}"
        fetched, stale = 0, 0

        def count(line: str) -> None:
            nonlocal fetched, stale
            if line.startswith(_DOWNLOADING):
                fetched += 1
                self.events.progress(title, fetched, None, Unit.MODULES)
            stale += _IMPORT_PATH.fullmatch(line) is not None

        packages = [component.package for component in components]
        try:
            # Unlike `go mod download`, this fetches only the modules that the programs need.
            stream(
                [self.go.program, "list", "-deps", "-f", _STALE, *flags(first), *packages],
                action=f"fetch the Go modules of {first.name}",
                log=self.log,
                line=count,
                timeout_s=_FETCH_TIMEOUT_S,
                env=go_environment(),
                cwd=directory,
            )
        except BootstrapError as error:
            raise HostError(
                f"Could not fetch the Go modules of {first.name} {first.version}.",
                details=error.details,
                hint=f"Try it by hand: cd {shlex.quote(str(directory))} && "
                f"{shlex.quote(str(self.go.program))} mod "
                f"{shlex.join(['download', *_lock(first)])}",
            ) from error
        if fetched:
            self.events.progress(title, fetched, fetched, Unit.MODULES)
        return stale


def flags(component: Component) -> Sequence[str]:
    """Return the flags of ``go build`` that decide the bytes of a component."""
    stamps = [word for stamp in component.stamps for word in ("-X", stamp)]
    return [
        *_lock(component),
        "-trimpath",
        *_tags(component),
        # The linker drops what debuggers read; a tenth of the compiler's work is to write it.
        "-gcflags=all=-dwarf=false",
        "-ldflags",
        " ".join(["-s", "-w", *stamps]),
    ]


def inputs_digest(kubernetes_version: str, components: Sequence[Component], modules: Path) -> str:
    """Hash everything that decides what is built, except the Go release that builds it."""
    sources = {
        f"{module}/{path.name}": sha256_of(path)
        for module, lock in {(component.module, component.lock) for component in components}
        for path in (modules / module).iterdir()
        if path.name in {lock, Path(lock).with_suffix(".sum").name}
        or (path.suffix == ".go" and not path.name.endswith("_test.go"))
    }
    commands = {
        component.name: [component.module, component.package, *flags(component)]
        for component in components
    }
    text = json.dumps([kubernetes_version, sources, commands], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _lock(component: Component) -> Sequence[str]:
    # Not said of its own file, which Go takes anyway.
    return [] if component.lock == NEWEST_LOCK else [f"-modfile={component.lock}"]


def _tags(component: Component) -> Sequence[str]:
    return ["-tags", ",".join(component.tags)] if component.tags else []
