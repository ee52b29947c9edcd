"""One user on one host: runs commands, sees all that exists, says what must."""

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import random
import select
import shutil
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libvirt
import yaml

from bootstrap.adapters.marker import MARKER
from bootstrap.model.names import SWITCH
from tests.faults.daemon import Daemon
from tests.faults.guests import IMAGE_KEY

#: No command takes a second; what takes this long hangs.
DEADLINE_S = 30.0
#: What `docs/reference/files.md` says stays for ever, as prefixes below BOOTSTRAP_HOME.
KEPT = (
    "state/install-id",
    "state/.locks",
    f"data/images/{IMAGE_KEY}",
    "cache/acceleration.json",
    "cache/durations.json",
)
DOCUMENTED = {0, 2, 3, 4, 5, 6, 7, 8, 9}
USER_KUBECONFIG = """# mine
apiVersion: v1
kind: Config
current-context: mine
clusters:
- name: mine   # a comment of the user's
  cluster: {server: "https://127.0.0.1:1"}
contexts:
- name: mine
  context: {cluster: mine, user: me}
users:
- name: me
  user: {token: secret}
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended; ``exit_code`` is negative after a signal, as in subprocess."""

    words: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str

    def __str__(self) -> str:
        return f"{' '.join(self.words)} -> {self.exit_code}\n{self.stdout}{self.stderr}"


class Running:
    """A command that runs; its pid stays its own until ``end``."""

    def __init__(self, words: tuple[str, ...], request: dict[str, Any], nursery: str) -> None:
        self.words, self._request = words, request
        #: Exists once the command's outputs are open.
        self.began = Path(request["began"])
        self._link = socket.socket(socket.AF_UNIX)
        self._link.connect(nursery)
        self._link.sendall(json.dumps(request).encode() + b"\n")
        self._answers = self._link.makefile()
        self.pid = int(self._answers.readline())
        self._ended: Ended | None = None

    def send(self, number: signal.Signals) -> None:
        """Send a signal, which a command that has ended does not feel."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        self.end()

    def stop(self) -> None:
        """Stop the command, as Ctrl-Z does, and wait until it is."""
        self.send(signal.SIGSTOP)
        while self._state() != "T":
            time.sleep(0.002)

    def wait_for_file(self, path: Path) -> bool:
        """Wait until the command has made a file, or has ended."""
        deadline = time.monotonic() + DEADLINE_S
        while not path.exists():
            if self._state() == "Z":
                return path.exists()
            assert time.monotonic() < deadline, f"{self.words} never came to {path.name}"
            time.sleep(0.002)
        return True

    def end(self, *, deadline_s: float = DEADLINE_S) -> Ended:
        """Wait for the end; a command that hangs is killed and fails the test."""
        if self._ended is None:
            hangs = not select.select([self._link], [], [], deadline_s)[0]
            if hangs:
                self.send(signal.SIGUSR1)  # it says where
                time.sleep(0.5)
                self.send(signal.SIGKILL)
            code = int(self._answers.readline())
            self._answers.close()
            self._link.close()
            outputs = [Path(self._request[name]) for name in ("stdout", "stderr")]
            texts = [path.read_text(errors="replace") if path.is_file() else "" for path in outputs]
            self._ended = Ended(self.words, code, *texts)
            assert not hangs, f"it hangs: {self._ended}"
        return self._ended

    def _state(self) -> str:
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]


class Sandbox:
    """A home, a private part of one test driver, and every command that was run."""

    def __init__(
        self,
        place: Path,
        daemon: Daemon,
        nursery: str,
        seeded: random.Random,
        user: int | None = None,
    ) -> None:
        self.place, self.daemon, self.random = place, daemon, seeded
        #: The id of the user who runs the commands; None for the one who tests.
        self._user = user
        self._nursery = nursery
        self._commands: list[Running] = []
        #: A cluster name that no other test has.
        self.name = f"f-{seeded.getrandbits(32):08x}"
        #: A cluster that the other one may be a clone of.
        self.original = f"original-{self.name}"
        self.home, self.root = place / "home", place / "root"
        self.state = self.root / "state" / self.name
        self.volumes = self.root / "data" / "volumes" / self.name
        self.user_kubeconfig = self.home / ".kube" / "config"
        for name in ("tmp", "out", "home/.kube"):
            (place / name).mkdir(parents=True)
        self._furnish()
        if user is not None:
            for path in (place, *place.rglob("*")):
                os.lchown(path, user, user)
        #: What must exist after `down`.
        self.before = self.inventory()

    def _furnish(self) -> None:
        """Make the user's own kubeconfig, and an empty home for the tool."""
        self.user_kubeconfig.write_text(USER_KUBECONFIG)
        self.user_kubeconfig.chmod(0o600)
        self._make_root()

    def _make_root(self) -> None:
        """Let the real probe find its own memory instead of booting a kernel."""
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        answer = {"key": f"{boot} {os.getuid()}", "acceleration": "emulated", "reason": "a test"}
        for directory in (self.root, self.root / "cache"):
            directory.mkdir(mode=0o700)
        (self.root / "cache" / "acceleration.json").write_text(json.dumps(answer))

    def forget_all(self) -> None:
        """Make the next run this user's very first: no install id, no locks, no image."""
        shutil.rmtree(self.root)
        self._make_root()

    # Commands

    def start(self, *words: str, **fault: object) -> Running:
        """Start a command; ``fault`` is what it shall suffer.

        ``default_uri`` in it is the libvirt of a command that names none.
        """
        full = (*words, "--allow-overcommit") if words[0] == "up" else words
        out = self.place / "out" / str(len(self._commands))
        request = {
            "words": full,
            "directory": str(self.place),
            "environment": self._environment(fault.pop("default_uri", self.daemon.uri)),
            "stdout": str(fault.pop("stdout", f"{out}.out")),
            "stderr": str(fault.pop("stderr", f"{out}.err")),
            "began": f"{out}.began",
            "user": self._user,
            "fault": fault,
        }
        running = Running(full, request, self._nursery)
        self._commands.append(running)
        return running

    def hanging(self) -> Running:
        """Start an `up` that hangs at its 20th call of a port, and wait until it does."""
        reached = self.place / "out" / "reached"
        fault = {"kind": "ports", "at": 20, "action": "hang", "reached": str(reached)}
        running = self.start("up", self.name, **fault)
        assert running.wait_for_file(reached)
        return running

    def run(self, *words: str, **fault: object) -> Ended:
        return self.start(*words, **fault).end()

    def done(self, *words: str) -> Ended:
        ended = self.run(*words)
        assert ended.exit_code == 0, str(ended)
        return ended

    def up(self, *words: str) -> None:
        """Run `up`, which must end well, and check all that must exist then."""
        self.done("up", self.name, *words)
        self.assert_converged()

    def down(self) -> None:
        """Run `down`, which must end well and leave nothing."""
        # As `kubectl config use-context mine`: --use does not keep what was before.
        text = self.user_kubeconfig.read_text()
        ours = f"current-context: bootstrap-{self.name}"
        if ours in text:
            self.user_kubeconfig.write_text(text.replace(ours, "current-context: mine"))
        self.done("down", self.name, "--with-snapshots")
        if (self.root / "data" / "snapshots" / self.original).exists():
            self.done("down", self.original, "--with-snapshots")
        self.assert_nothing()

    def durations(self) -> tuple[float, float]:
        """Measure in seconds how long `up` and `down` take."""
        began = time.monotonic()
        self.up()
        middle = time.monotonic()
        self.down()
        return middle - began, time.monotonic() - middle

    def _environment(self, default_uri: object) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "BOOTSTRAP_HOME": str(self.root),
            "BOOTSTRAP_FAULT_PLACE": str(self.place),
            "BOOTSTRAP_FAULT_URI": str(default_uri),
            "TMPDIR": str(self.place / "tmp"),
            "LANG": "C.UTF-8",
        }

    # What exists

    def inventory(self) -> dict[str, str]:
        """Tell all that exists: domains, networks, files with what they hold."""
        keeper = self.daemon.keeper
        found = {f"domain {name}": _describe(domain) for name, domain in self.domains().items()}
        found |= {f"network {network.name()}": "" for network in keeper.listAllNetworks()}
        found |= {f"pool {pool.name()}": "" for pool in keeper.listAllStoragePools()}
        for base in (self.root, self.home, self.place / "tmp"):
            for path in sorted(base.rglob("*")):
                relative = path.relative_to(self.place).as_posix()
                if not self._is_kept(relative):
                    found[relative] = _content(path)
        return found

    def domains(self) -> dict[str, libvirt.virDomain]:
        """Return all domains, running or only defined, by name."""
        return {domain.name(): domain for domain in self.daemon.keeper.listAllDomains()}

    def cut_power(self) -> int:
        """End all machines at once, as a power cut does; return how many that were."""
        running = [domain for domain in self.domains().values() if domain.isActive()]
        ours = [domain for domain in running if domain.name().startswith(f"{self.name}-")]
        for domain in ours:
            domain.destroy()
        return len(ours)

    def _is_kept(self, relative: str) -> bool:
        below = relative.removeprefix("root/")
        is_parent = any(kept.startswith(below + "/") for kept in (*KEPT, "data/volumes/x"))
        is_temporary = ".bootstrap-" in relative or ".building" in relative
        return (below.startswith(KEPT) or is_parent) and not is_temporary

    def nodes(self) -> list[str]:
        """Name the cluster's nodes, which libvirt has under longer names, without the switch."""
        own = (name for name in self.domains() if name.startswith(f"{self.name}-"))
        return sorted({name.removeprefix(f"{self.name}-") for name in own} - {SWITCH})

    def assert_nothing(self) -> None:
        """Nothing but what was there before the first command."""
        assert self.inventory() == self.before
        self._assert_locks_free()

    def _assert_locks_free(self) -> None:
        for lock in (self.root / "state").glob(".locks/*.lock"):
            with lock.open() as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert not list((self.home / ".kube").glob("*.lock")), "kubectl's lock was left"

    def assert_converged(self, workers: int | None = None) -> None:
        """All that a finished `up` promises, and nothing besides."""
        nodes = self.nodes()
        assert nodes[:2] == ["control-plane", "worker"]
        assert workers in (None, len(nodes) - 1)
        for name in [*nodes, SWITCH]:
            domain = self.domains()[f"{self.name}-{name}"]
            assert domain.isActive(), f"{name} does not run"
            assert domain.isPersistent(), f"{name} is transient"
        self._assert_volumes(nodes)
        self._assert_products(nodes)
        self._assert_locks_free()

    def _assert_volumes(self, nodes: list[str]) -> None:
        image = self.root / "data" / "images" / IMAGE_KEY / "disk.raw"
        # A cluster that was restored remembers from what.
        found = {path.name for path in self.volumes.iterdir()} - {"origin.json"}
        assert found == {MARKER, SWITCH, *nodes}
        for name in nodes:
            directory = self.volumes / name
            files = {path.name for path in directory.iterdir()}
            files -= {"guest.json.new", "console.log"}
            assert files == {"root.qcow2", "seed.iso", "guest.json"}
            disk = (directory / "root.qcow2").read_bytes()
            assert disk[:4] == b"QFI\xfb", f"{name}: the disk is not whole"
            assert str(image).encode() in disk[:4096], f"{name}: the disk lies over nothing"
            assert not any((directory / "seed.iso").read_bytes()), f"{name}: the seed is still full"

    def _assert_products(self, nodes: list[str]) -> None:
        paths = [path for path in self.state.rglob("*") if path.is_file()]
        names = {path.relative_to(self.state).as_posix() for path in paths}
        for log in self.state.glob("runs/*"):
            # A kill leaves whole lines.
            lines = log.read_text().splitlines(keepends=True)
            assert all(line.endswith("\n") and json.loads(line)["run"] for line in lines), log
        assert {name for name in names if not name.startswith(("logs/", "runs/"))} == {
            *(MARKER, "ca.crt", "inventory.yml", "kubeconfig"),
            *("pki/authorities.json", "pki/user.json"),
            *("ssh/client", "ssh/config", "ssh/known_hosts"),
            *(f"ssh/host-{name}" for name in nodes),
            *(f"nodes/{name}.files" for name in nodes),
        }
        own = yaml.safe_load((self.state / "kubeconfig").read_text())
        users = self._user_entries()
        name = f"bootstrap-{self.name}"
        assert own["current-context"] == name
        for section in ("clusters", "contexts", "users"):
            assert [entry["name"] for entry in users[section]].count(name) == 1
        base64.b64decode(own["users"][0]["user"]["client-key-data"], validate=True)

    def _user_entries(self) -> dict[str, Any]:
        users: dict[str, Any] = yaml.safe_load(self.user_kubeconfig.read_text())
        assert {"name": "me", "user": {"token": "secret"}} in users["users"]
        return users

    def assert_files_whole(self) -> None:
        """What a command was stopped at, every file holds the old content or the new."""
        parse: dict[str, Callable[[bytes], object]] = {".json": json.loads, ".yml": yaml.safe_load}
        for path in self.root.glob("state/**/*"):
            # Locks, their holders' names, and a log of runs before its first line.
            may_be_empty = path.suffix in {".lock", ".holder", ".txt", ".ndjson"}
            if path.is_file() and ".bootstrap-" not in path.name and not may_be_empty:
                text = path.read_bytes()
                assert text, f"{path} is empty"
                parse.get(path.suffix, len)(text)
        self._user_entries()

    def assert_sound(self) -> None:
        """No process of a command lives, no output shows a traceback, nothing strayed."""
        sessions = {command.pid for command in self._commands}
        deadline = time.monotonic() + 5
        while (left := _living(sessions)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not left, "processes are left"
        for command in self._commands:
            text = str(command.end())
            assert "Traceback" not in text
            assert "Exception ignored" not in text
        assert not list((self.place / "tmp").iterdir()), "temporary files are left"
        assert {path.name for path in self.home.iterdir()} == {".kube"}, "files outside our home"
        self._assert_locks_free()

    def start_over(self) -> None:
        """Let the next trial of the same test begin on clean ground."""
        self.remove_leftovers()
        shutil.rmtree(self.root)
        for path in (self.home / ".kube").iterdir():
            path.unlink()
        self._furnish()

    def remove_leftovers(self) -> list[str]:
        """Undefine what a failed test left, so that the next one is not harmed."""
        left = [name for name in self.domains() if f"domain {name}" not in self.before]
        for name in left:
            domain = self.domains()[name]
            if domain.isActive():
                domain.destroy()
            domain.undefine()
        return left


def _living(sessions: set[int]) -> list[str]:
    """List the processes of these sessions; a killed child's orphan is a zombie for a moment."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and os.getsid(int(entry.name)) in sessions:
                found.append((entry / "cmdline").read_text().replace("\0", " "))
    return [words for words in found if words]


def _describe(domain: libvirt.virDomain) -> str:
    return f"active={domain.isActive()} persistent={domain.isPersistent()} {domain.UUIDString()}"


def _content(path: Path) -> str:
    if path.is_symlink():
        return f"link to {os.readlink(path)}"
    if path.is_dir():
        return "directory"
    return f"{path.stat().st_mode:o} {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
