"""Faults inside a command: every point has a number, and one of them may do harm.

Wraps the ports' methods and Python's ways to change files, in the child process only.
"""

import _pyio  # type: ignore[import-not-found] # of the standard library
import builtins
import contextlib
import errno
import io
import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bootstrap.errors import BootstrapError
from bootstrap.model.names import ClusterName
from bootstrap.workflow.environment import Ports

#: Methods of ports that only look; every other one is a point, also one that is new.
LOOKING = {
    "hypervisor": {"domains", "version"},
    "volumes": {"clusters", "console", "disk_bytes", "images", "origin"},
    "snapshots": {"check", "exported", "files", "find", "keys", "list", "names"},
    "images": {"find", "list"},
    "trust": set[str](),
    "files": {"clusters", "find", "read"},
    "kubeconfig": {"check"},
    "evidence": set[str](),
    "playbooks": set[str](),
    "api": {"certificate_expiry", "check_ready", "joined_nodes"},
}
#: Functions of ``os`` that change files; fsync and write too, since each may fail.
_FILE_CALLS = (
    *("replace", "rename", "unlink", "remove", "mkdir", "rmdir", "fsync", "truncate"),
    *("ftruncate", "chmod", "link", "symlink", "write"),
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Injection:
    """Counts points of one kind, notes them if asked, and harms at one."""

    def __init__(self, request: dict[str, Any]) -> None:
        fault = request["fault"]
        self._kind, self._action = fault.get("kind", ""), fault.get("action", "")
        self._at, self._record = fault.get("at", 0), fault.get("record")
        self._reached = fault.get("reached")
        self._numbers = itertools.count(1)
        self._is_off = False

    @contextlib.contextmanager
    def off(self) -> Iterator[None]:
        """Do not count what the test's own fakes do."""
        before, self._is_off = self._is_off, True
        try:
            yield
        finally:
            self._is_off = before

    def port(self, name: str, real: Any) -> Any:
        """Wrap a port, if ports are what shall fail."""
        return _Wrapped(self, name, real) if self._kind == "ports" else real

    def pass_point(self, name: str) -> None:
        """Count a point; at the chosen one, do the harm."""
        if self._is_off:
            return
        number = next(self._numbers)  # several threads pass points
        with self.off():
            if self._record:
                with open(self._record, "a") as record:
                    record.write(f"{number} {name}\n")
            if number == self._at:
                self._harm(name)

    def _harm(self, name: str) -> None:
        if self._reached:
            Path(self._reached).touch()
        if self._action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self._action == "raise":
            raise BootstrapError(f"A fault was injected at '{name}'.", hint="bootstrap list")
        if self._action == "hang":
            while True:
                # Not long: a signal that comes just before a sleep does not wake it.
                time.sleep(0.5)
        number = getattr(errno, self._action)
        raise OSError(number, os.strerror(number), name.rpartition(" ")[2])

    def install(self) -> None:
        """Put ourselves before and after all that changes a file."""
        if self._kind not in {"files", "writes"}:
            return
        for name in _FILE_CALLS:
            setattr(os, name, self._around(name, getattr(os, name)))
        os.open = self._opening(os.open)
        # Python's own open() in Python, which calls the functions above.
        builtins.open = io.open = _pyio.open

    def _around(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            place = _place(arguments[0] if name != "replace" else arguments[1])
            self.pass_point(f"{name}:before {place}")
            result = real(*arguments, **keywords)
            if self._kind == "files":
                self.pass_point(f"{name}:after {place}")
            return result

        return call

    def _opening(self, real: Callable[..., int]) -> Callable[..., int]:
        def call(path: Any, flags: int, *arguments: Any, **keywords: Any) -> int:
            if flags & _WRITES:
                self.pass_point(f"open:before {_place(path)}")
            return real(path, flags, *arguments, **keywords)

        return call


class FaultyPorts:
    """The ports of a command, each wrapped if ports are what shall fail."""

    def __init__(self, real: Ports, injection: Injection) -> None:
        self._real, self._injection = real, injection

    def cluster(self, name: ClusterName) -> Ports:
        return FaultyPorts(self._real.cluster(name), self._injection)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        return self._injection.port(name, found) if name in LOOKING else found


class _Wrapped:
    """A port whose changing methods are points, before and after."""

    def __init__(self, injection: Injection, name: str, real: Any) -> None:
        self._injection, self._name, self._real = injection, name, real
        assert LOOKING[name] <= set(dir(real)), "a method that looks has another name now"

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._real, method)
        if method.startswith("_") or method in LOOKING[self._name] or not callable(found):
            return found

        def call(*arguments: Any, **keywords: Any) -> Any:
            first = next(iter(arguments), "")
            what = str(getattr(first, "name", first if isinstance(first, str) else ""))
            self._injection.pass_point(f"{self._name}.{method}:before {what}".strip())
            result = found(*arguments, **keywords)
            self._injection.pass_point(f"{self._name}.{method}:after {what}".strip())
            return result

        return call


def _place(path: Any) -> str:
    if isinstance(path, int):
        try:
            path = os.readlink(f"/proc/self/fd/{path}")
        except OSError:
            return f"descriptor {path}"
    text, root = os.fsdecode(path), os.environ.get("BOOTSTRAP_FAULT_PLACE", "/")
    return str(Path(text).relative_to(root)) if text.startswith(root) else text
