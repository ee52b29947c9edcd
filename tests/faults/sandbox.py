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
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.faults.daemon import Daemon
from tests.faults.guests import IMAGE_KEY

#: No command takes a second; what takes this long hangs.
DEADLINE_S = 30.0
#: What `docs/files.md` says stays for ever, as prefixes below BOOTSTRAP_HOME.
KEPT = ("state/install-id", "state/.locks", f"data/images/{IMAGE_KEY}", "cache/acceleration.json")
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
    """A command that runs."""

    def __init__(self, words: tuple[str, ...], request: dict[str, Any], nursery: str) -> None:
        self.words, self._request = words, request
        self._link = socket.socket(socket.AF_UNIX)
        self._link.connect(nursery)
        self._link.sendall(json.dumps(request).encode() + b"\n")
        self._answers = self._link.makefile()
        self.pid = int(self._answers.readline())
        self._handle = -1
        with contextlib.suppress(ProcessLookupError):  # it may have ended by now
            self._handle = os.pidfd_open(self.pid)
        self._ended: Ended | None = None

    def send(self, number: signal.Signals) -> bool:
        """Send a signal; False if the command has ended before."""
        if self._handle == -1:
            return False
        try:
            signal.pidfd_send_signal(self._handle, number)
        except ProcessLookupError:
            return False
        return True

    @property
    def began(self) -> Path:
        """The file that exists once the command's outputs are open."""
        return Path(self._request["began"])

    def kill(self) -> None:
        """Kill the command and wait for its end."""
        self.send(signal.SIGKILL)
        self.end()

    def stop(self) -> None:
        """Stop the command, as Ctrl-Z does, and wait until it is."""
        self.send(signal.SIGSTOP)
        while _state(self.pid) != "T":
            time.sleep(0.002)

    def wait_for_file(self, path: Path) -> bool:
        """Wait until the command has made a file, or has ended."""
        deadline = time.monotonic() + DEADLINE_S
        while not path.exists():
            if _state(self.pid) in {"", "Z"}:
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
            status = int(self._answers.readline())
            if self._handle != -1:
                os.close(self._handle)
            self._answers.close()
            self._link.close()
            stdout, stderr = (Path(self._request[name]) for name in ("stdout", "stderr"))
            code = os.waitstatus_to_exitcode(status)
            texts = [
                path.read_text(errors="replace") if path.is_file() else ""
                for path in (stdout, stderr)
            ]
            self._ended = Ended(self.words, code, *texts)
            assert not hangs, f"it hangs: {self._ended}"
        return self._ended


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


@dataclass
class Sandbox:
    """A home, a private part of one test driver, and every command that was run."""

    place: Path
    daemon: Daemon
    nursery: str
    random: random.Random
    name: str = "demo"
    commands: list[Running] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("tmp", "out", "home/.kube"):
            (self.place / name).mkdir(parents=True)
        self.furnish()

    @property
    def home(self) -> Path:
        return self.place / "home"

    @property
    def root(self) -> Path:
        return self.place / "root"

    @property
    def state(self) -> Path:
        return self.root / "state" / self.name

    @property
    def volumes(self) -> Path:
        return self.root / "data" / "volumes" / self.name

    @property
    def user_kubeconfig(self) -> Path:
        return self.home / ".kube" / "config"

    def furnish(self) -> None:
        """Make the user's own kubeconfig, and an empty home for the tool."""
        self.user_kubeconfig.write_text(USER_KUBECONFIG)
        self.user_kubeconfig.chmod(0o600)
        self.root.mkdir(mode=0o700)
        self._remember_no_kvm()

    def forget_all(self) -> None:
        """Make the next run this user's very first: no install id, no locks, no image."""
        shutil.rmtree(self.root)
        self.root.mkdir(mode=0o700)
        self._remember_no_kvm()

    def _remember_no_kvm(self) -> None:
        """Let the real probe find its own memory instead of booting a kernel."""
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        answer = {"key": f"{boot} {os.getuid()}", "acceleration": "emulated", "reason": "a test"}
        (self.root / "cache").mkdir(mode=0o700)
        (self.root / "cache" / "acceleration.json").write_text(json.dumps(answer))

    # Commands

    def start(self, *words: str, **fault: object) -> Running:
        """Start a command; ``fault`` is what it shall suffer.

        ``default_uri`` in it is the libvirt of a command that names none.
        """
        full = (*words, "--allow-overcommit") if words[0] == "up" else words
        number = len(self.commands)
        request = {
            "words": full,
            "directory": str(self.place),
            "environment": self._environment(fault.pop("default_uri", self.daemon.uri)),
            "stdout": str(fault.pop("stdout", self.place / "out" / f"{number}.out")),
            "stderr": str(fault.pop("stderr", self.place / "out" / f"{number}.err")),
            "began": str(self.place / "out" / f"{number}.began"),
            "fault": fault,
        }
        running = Running(full, request, self.nursery)
        self.commands.append(running)
        return running

    def run(self, *words: str, **fault: object) -> Ended:
        """Run a command to its end."""
        return self.start(*words, **fault).end()

    def done(self, *words: str) -> Ended:
        """Run a command that must end well."""
        ended = self.run(*words)
        assert ended.exit_code == 0, str(ended)
        return ended

    def up(self, *words: str) -> Ended:
        """Run `up`, which must end well, and check all that must exist then."""
        ended = self.done("up", self.name, *words)
        self.assert_converged()
        return ended

    def down(self) -> Ended:
        """Run `down`, which must end well and leave nothing."""
        self._switch_back()
        ended = self.done("down", self.name)
        self.assert_nothing()
        return ended

    def _switch_back(self) -> None:
        """Do as `kubectl config use-context mine`: after --use nobody knows what was before."""
        text = self.user_kubeconfig.read_text()
        ours = f"current-context: bootstrap-{self.name}"
        if ours in text:
            self.user_kubeconfig.write_text(text.replace(ours, "current-context: mine"))

    def durations(self) -> tuple[float, float]:
        """Measure in seconds how long `up` and `down` take."""
        began = time.monotonic()
        self.up()
        middle = time.monotonic()
        self.down()
        return middle - began, time.monotonic() - middle

    def _environment(self, default_uri: object) -> dict[str, str]:
        own = {
            "HOME": str(self.home),
            "BOOTSTRAP_HOME": str(self.root),
            "BOOTSTRAP_FAULT_PLACE": str(self.place),
            "BOOTSTRAP_FAULT_URI": str(default_uri),
            "TMPDIR": str(self.place / "tmp"),
            "LANG": "C.UTF-8",
        }
        return {"PATH": os.environ["PATH"]} | own

    # What exists

    def inventory(self) -> dict[str, str]:
        """Tell all that exists: domains, networks, files with what they hold."""
        found = {f"domain {name}": _describe(domain) for name, domain in self.domains().items()}
        keeper = self.daemon.keeper
        found |= {f"network {network.name()}": "" for network in keeper.listAllNetworks()}
        found |= {f"pool {pool.name()}": "" for pool in keeper.listAllStoragePools()}
        for base in (self.root, self.home, self.place / "tmp"):
            for path in sorted(base.rglob("*")):
                relative = path.relative_to(self.place).as_posix()
                if not self._is_kept(relative):
                    found[relative] = _content(path)
        return found

    def domains(self) -> dict[str, Any]:
        """Give the domains of this sandbox's clusters, and those of nobody's."""
        return self.daemon.domains()

    def _is_kept(self, relative: str) -> bool:
        below = relative.removeprefix("root/")
        is_parent = any(kept.startswith(below + "/") for kept in (*KEPT, "data/volumes/x"))
        is_temporary = ".bootstrap-" in relative or ".building" in relative
        return (below.startswith(KEPT) or is_parent) and not is_temporary

    def assert_nothing(self) -> None:
        """Nothing but what was there before the first command."""
        assert self.inventory() == self.before, difference(self.before, self.inventory())
        self.assert_locks_free()

    def remember(self) -> None:
        """Take what exists now for what must exist after `down`."""
        self.before = self.inventory()

    def assert_locks_free(self) -> None:
        for lock in (self.root / "state").glob(".locks/*.lock"):
            with lock.open() as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        left = sorted((self.home / ".kube").glob("*.lock"))
        assert not left, f"kubectl's lock was left: {left}"

    def nodes(self) -> list[str]:
        """Name the cluster's nodes, as libvirt has them."""
        return sorted(name for name in self.domains() if name.startswith(f"{self.name}-"))

    def assert_converged(self, workers: int | None = None) -> None:
        """All that a finished `up` promises, and nothing besides."""
        nodes = self.nodes()
        expected = [f"{self.name}-control-plane", f"{self.name}-worker"]
        if workers is None:
            assert nodes[:2] == expected, nodes
        else:
            assert len(nodes) == workers + 1, nodes
        for name in nodes:
            domain = self.domains()[name]
            assert domain.isActive(), f"{name} does not run"
            assert domain.isPersistent(), f"{name} is transient"
        self._assert_volumes(nodes)
        self._assert_products(nodes)
        self.assert_locks_free()

    def _assert_volumes(self, nodes: list[str]) -> None:
        image = self.root / "data" / "images" / IMAGE_KEY / "disk.raw"
        expected = {".bootstrap-cluster.json", *nodes}
        assert {path.name for path in self.volumes.iterdir()} == expected
        for name in nodes:
            directory = self.volumes / name
            files = {path.name for path in directory.iterdir()}
            assert files - {"guest.json.new"} == {"root.qcow2", "seed.iso", "guest.json"}, files
            disk = (directory / "root.qcow2").read_bytes()
            assert disk[:4] == b"QFI\xfb", f"{name}: the disk is not whole"
            assert str(image).encode() in disk[:4096], f"{name}: the disk lies over nothing"
            assert not any((directory / "seed.iso").read_bytes()), f"{name}: the seed is still full"

    def _assert_products(self, nodes: list[str]) -> None:
        found = {
            path.relative_to(self.state).as_posix()
            for path in self.state.rglob("*")
            if path.is_file() and "logs" not in path.relative_to(self.state).parts
        }
        expected = {"cluster-name", "ca.crt", "inventory.yml", "kubeconfig"}
        expected |= {"pki/authorities.json", "pki/user.json", "ssh/client"}
        expected |= {"ssh/config", "ssh/known_hosts"}
        expected |= {f"ssh/host-{name}" for name in nodes}
        expected |= {f"nodes/{name}.files" for name in nodes}
        assert found == expected, found ^ expected
        own = yaml.safe_load((self.state / "kubeconfig").read_text())
        users = yaml.safe_load(self.user_kubeconfig.read_text())
        name = f"bootstrap-{self.name}"
        assert own["current-context"] == name
        for section in ("clusters", "contexts", "users"):
            names = [entry["name"] for entry in users[section]]
            assert names.count(name) == 1, f"the user's kubeconfig has {names}"
        assert {"name": "me", "user": {"token": "secret"}} in users["users"]
        base64.b64decode(own["users"][0]["user"]["client-key-data"], validate=True)

    def assert_files_whole(self) -> None:
        """What a command was stopped at, every file holds the old content or the new."""
        for path in self.root.glob("state/**/*"):
            if path.is_file() and ".bootstrap-" not in path.name:
                _assert_whole(path)
        users = yaml.safe_load(self.user_kubeconfig.read_text())
        assert {"name": "me", "user": {"token": "secret"}} in users["users"]

    # Invariants after every test

    def assert_sound(self) -> None:
        """No process of a command lives, no output shows a traceback, nothing strayed."""
        sessions = {command.pid for command in self.commands}
        deadline = time.monotonic() + 5
        while (left := _living(sessions)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not left, f"processes are left: {left}"
        for command in self.commands:
            text = str(command.end())
            assert "Traceback" not in text, text
            assert "Exception ignored" not in text, text
        assert not list((self.place / "tmp").iterdir()), "temporary files are left"
        assert {path.name for path in self.home.iterdir()} == {".kube"}, "files outside our home"
        self.assert_locks_free()

    def start_over(self) -> None:
        """Let the next trial of the same test begin on clean ground."""
        self.remove_leftovers()
        shutil.rmtree(self.root)
        for path in (self.home / ".kube").iterdir():
            path.unlink()
        self.furnish()

    def remove_leftovers(self) -> list[str]:
        """Undefine what a failed test left, so that the next one is not harmed."""
        left = [name for name in self.domains() if f"domain {name}" not in self.before]
        for name in left:
            domain = self.domains()[name]
            if domain.isActive():
                domain.destroy()
            domain.undefine()
        return left


def _assert_whole(path: Path) -> None:
    text = path.read_bytes()
    match path.suffix:
        case ".json":
            json.loads(text)
        case ".yml":
            yaml.safe_load(text)
        case ".lock" | ".holder" | ".txt":
            return  # empty while nobody has a say; the holder is only told to people
        case _:
            pass
    assert text, f"{path} is empty"


def _living(sessions: set[int]) -> list[str]:
    """List the processes of these sessions; a killed child's orphan is a zombie for a moment."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.getsid(int(entry.name)) in sessions:
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return [words for words in found if words]


def _describe(domain: Any) -> str:
    return f"active={domain.isActive()} persistent={domain.isPersistent()} {domain.UUIDString()}"


def _content(path: Path) -> str:
    if path.is_symlink():
        return f"link to {os.readlink(path)}"
    if path.is_dir():
        return "directory"
    return f"{path.stat().st_mode:o} {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"


def difference(before: dict[str, str], after: dict[str, str]) -> str:
    """Say what is more, less or other."""
    lines = [f"+ {key} {after[key]}" for key in sorted(after.keys() - before.keys())]
    lines += [f"- {key}" for key in sorted(before.keys() - after.keys())]
    lines += [f"~ {key}" for key in before.keys() & after.keys() if before[key] != after[key]]
    return "\n".join(lines)


def fresh_name(seed: random.Random) -> str:
    """Give a cluster name that no other test has."""
    return f"f-{uuid.UUID(int=seed.getrandbits(128)).hex[:8]}"
