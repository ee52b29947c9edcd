"""Faults inside a command: every point has a number, and one of them may do harm.

Wraps the ports' methods and Python's ways to change files, in the child process only.
"""

import errno
import io
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from bootstrap.errors import BootstrapError

Port = TypeVar("Port")

#: Methods of ports that only look; every other one is a point, also one that is new.
LOOKING = {
    "hypervisor": {"domains"},
    "volumes": {"clusters", "console", "images"},
    "images": {"find", "list"},
    "trust": set[str](),
    "products": {"check_kubeconfig", "clusters"},
    "playbooks": set[str](),
    "api": {"certificate_expiry", "joined_nodes", "version"},
}
#: Functions of ``os`` that change files; fsync and write too, since each may fail.
_FILE_CALLS = (
    "replace",
    "rename",
    "unlink",
    "remove",
    "mkdir",
    "rmdir",
    "fsync",
    "truncate",
    "ftruncate",
    "chmod",
    "link",
    "symlink",
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Injection:
    """Counts points of one kind, notes them if asked, and harms at one."""

    def __init__(self, request: dict[str, Any]) -> None:
        fault = request.get("fault") or {}
        self._kind = fault.get("kind", "")
        self._record = fault.get("record")
        self._at = fault.get("at", 0)
        self._action = fault.get("action", "")
        self._reached = fault.get("reached", "")
        self._count = 0
        self._is_off = False
        self._real_open = os.open
        self._real_write = os.write

    def off(self) -> "Suspended":
        """Do not count what the test's own fakes do."""
        return Suspended(self)

    def port(self, name: str, real: Port) -> Port:
        """Wrap a port, if ports are what shall fail."""
        return cast("Port", _Wrapped(self, name, real)) if self._kind == "ports" else real

    def pass_point(self, name: str) -> None:
        """Count a point; at the chosen one, do the harm."""
        if self._is_off:
            return
        self._count += 1
        if self._record:
            with self.off():
                descriptor = self._real_open(
                    self._record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600
                )
                self._real_write(descriptor, f"{self._count} {name}\n".encode())
                os.close(descriptor)
        if self._count == self._at:
            with self.off():
                self._harm(name)

    def _harm(self, name: str) -> None:
        if self._reached:
            os.close(self._real_open(self._reached, os.O_WRONLY | os.O_CREAT, 0o600))
        if self._action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self._action == "raise":
            raise BootstrapError(f"A fault was injected at '{name}'.", hint="bootstrap list")
        if self._action == "hang":
            while True:
                time.sleep(60)
        number = getattr(errno, self._action)
        raise OSError(number, os.strerror(number), name.rpartition(" ")[2])

    def install(self) -> None:
        """Put ourselves before and after all that changes a file."""
        if self._kind not in {"files", "writes"}:
            return
        for name in _FILE_CALLS:
            setattr(os, name, self._around(name, getattr(os, name)))
        os.open = self._opening(os.open)
        os.write = self._around("write", os.write)
        io.open = self._io_open(io.open)
        import builtins

        builtins.open = io.open

    def _around(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            place = _place(arguments[0]) if name != "replace" else _place(arguments[1])
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

    def _io_open(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(  # noqa: PLR0913, PLR0917 - as io.open
            file: Any,
            mode: str = "r",
            buffering: int = -1,
            encoding: str | None = None,
            errors: str | None = None,
            newline: str | None = None,
            closefd: bool = True,  # noqa: FBT001, FBT002
            opener: Any = None,
        ) -> Any:
            if not set(mode) & set("wax+") or self._is_off:
                return real(file, mode, buffering, encoding, errors, newline, closefd, opener)
            if not isinstance(file, int):
                self.pass_point(f"open:before {_place(file)}")
            raw = _HookedFile(self, file, mode.replace("b", "").replace("t", ""), closefd, opener)
            if buffering == 0:
                return raw
            buffer: Any = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
            return buffer if "b" in mode else io.TextIOWrapper(buffer, encoding, errors, newline)

        return call


class Suspended:
    """A block in which no point counts."""

    def __init__(self, injection: Injection) -> None:
        self._injection = injection
        self._before = False

    def __enter__(self) -> None:
        self._before = self._injection._is_off  # noqa: SLF001
        self._injection._is_off = True  # noqa: SLF001

    def __exit__(self, *_: object) -> None:
        self._injection._is_off = self._before  # noqa: SLF001


class _HookedFile(io.FileIO):
    def __init__(
        self,
        injection: Injection,
        file: Any,
        mode: str,
        closefd: bool,  # noqa: FBT001 - as FileIO
        opener: Any,
    ) -> None:
        self._injection = injection
        self._file = file
        super().__init__(file, mode, closefd, opener)

    def write(self, data: Any) -> int:
        self._injection.pass_point(f"write:before {_place(self._file)}")
        return super().write(data)

    def truncate(self, size: int | None = None) -> int:
        self._injection.pass_point(f"truncate:before {_place(self._file)}")
        return super().truncate(size)


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
            what = _what(arguments)
            self._injection.pass_point(f"{self._name}.{method}:before {what}".strip())
            result = found(*arguments, **keywords)
            self._injection.pass_point(f"{self._name}.{method}:after {what}".strip())
            return result

        return call


def _what(arguments: tuple[Any, ...]) -> str:
    first = next(iter(arguments), "")
    return str(getattr(first, "name", first if isinstance(first, str) else ""))


def _place(path: Any) -> str:
    if isinstance(path, int):
        try:
            path = os.readlink(f"/proc/self/fd/{path}")
        except OSError:
            return f"descriptor {path}"
    root = os.environ.get("BOOTSTRAP_FAULT_PLACE", "/")
    text = os.fspath(path)
    text = text.decode() if isinstance(text, bytes) else text
    return str(Path(text).relative_to(root)) if text.startswith(root) else text
