"""Who uses the tool: an ordinary user, made for a test and removed after it, or the tester."""

import contextlib
import json
import os
import pwd
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest

from bootstrap.adapters.directories import Directories, find_directories
from tests.processes import until

ROOT = Path(__file__).parents[2]
#: What a run starts on this host, by the kernel's names: an interpreter is a script's first
#: word, and a shared SSH connection writes over all of its own.
HELPERS = r"ansible.*|ssh"
#: What a machine without power no longer runs, and what a reboot would not bring back.
GUESTS, DAEMONS = r"qemu-system.*", r"libvirtd|virtqemud|virtlogd"
#: As whom the system's libvirt runs guests, in Debian and elsewhere.
GUEST_USERS = ("libvirt-qemu", "qemu")
#: Variables that name the tester's own files begin with these.
_OWN = ("XDG_", "BOOTSTRAP_", "KUBECONFIG", "LIBVIRT_", "SSH_", "SUDO_", "PYTEST_", "TMPDIR")
_NOT_COPIED = (".venv", ".git", "__pycache__", ".*_cache", "*.egg-info")


@dataclass(frozen=True)
class Outcome:
    exit_code: int
    stdout: str
    stderr: str


def ran(
    argv: Sequence[str | Path],
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    cwd: Path | None = None,
) -> Outcome:
    done = subprocess.run(
        argv, env=env, cwd=cwd, input=stdin, capture_output=True, text=True, check=False
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class User:
    """A user of this host, and the tool as that user has installed it."""

    name: str
    home: Path
    directories: Directories
    kubeconfig: Path
    environment: Mapping[str, str]
    python: Path
    #: The program that runs another as the user, if that is not the tester.
    become: tuple[str, ...] = ()

    @property
    def is_root(self) -> bool:
        return self.name == "root"

    def run(self, *words: str) -> Outcome:
        done = self.other(*self._bootstrap, *words)
        said = f"$ bootstrap {' '.join(words)} -> {done.exit_code}\n{done.stdout}{done.stderr}"
        sys.stdout.write(said)
        return done

    @property
    def hypervisor_uri(self) -> str:
        """The libvirt that the tool uses by default."""
        return "qemu:///system" if self.is_root else "qemu:///session"

    def other(self, *words: str | Path, stdin: str | None = None) -> Outcome:
        """Run any program as the user, in the user's home."""
        return ran([*self.become, *words], self.environment, stdin, self.home)

    def succeed(self, *words: str) -> str:
        outcome = self.run(*words)
        assert outcome.exit_code == 0, outcome.stderr
        return outcome.stdout

    def killed(self, *words: str, at: str, delay_s: float) -> None:
        """Run the command and SIGKILL it ``delay_s`` seconds after it said ``at``.

        Whatever it had started but the guests is gone then, too (R-05, R-09, A-10).
        """
        before = self.programs(HELPERS)
        with subprocess.Popen(
            [*self.become, *self._bootstrap, *words],
            env=self.environment,
            cwd=self.home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            said = next((line for line in process.stderr if at in line), None)
            assert said is not None, f"it ended with {process.wait()} before it said '{at}'"
            with contextlib.suppress(subprocess.TimeoutExpired):
                pytest.fail(f"it ended with {process.wait(delay_s)} before it was killed")
            process.kill()
        until(lambda: self.programs(HELPERS) == before)

    def programs(self, names: str) -> list[list[str]]:
        """List the command lines of what runs for the user, by the kernel's names."""
        return sorted(process.info["cmdline"] or [] for process in self.processes(names))

    def processes(self, names: str) -> list[psutil.Process]:
        """List what runs for the user, by the kernel's names; root's guests have their own user."""
        return _processes({self.name, *(GUEST_USERS if self.is_root else ())}, names)

    def cut_power(self) -> None:
        """End all machines and daemons at once, as a power cut does; files and sockets stay.

        The system's daemon is there again afterwards, as it is when a host has booted.
        """
        kill_all(lambda: self.processes(f"{GUESTS}|{DAEMONS}"))
        if self.home.stat().st_uid == 0:
            started = ran([ROOT / "setup.sh"], cwd=ROOT)
            assert started.exit_code == 0, started.stderr

    def write(self, name: str, data: bytes) -> Path:
        """Write a file into the user's home."""
        path = self.home / name
        path.write_bytes(data)
        os.chown(path, self.home.stat().st_uid, -1)
        return path

    @property
    def _bootstrap(self) -> tuple[str | Path, ...]:
        return (self.python.with_name("bootstrap"),)


def verified(user: User, *words: str) -> dict[str, object]:
    """Run a command that ends with a verified cluster, and return its result."""
    result: dict[str, object] = json.loads(user.succeed(*words, "-o", "json"))
    assert result["verified"]
    return result


def the_tester(directory: Path) -> User:
    """Return the user who runs the tests, with another kubeconfig than their own."""
    kubeconfig = directory / "config"
    return User(
        name=psutil.Process().username(),
        home=Path.home(),
        directories=find_directories(),
        kubeconfig=kubeconfig,
        environment={**os.environ, "KUBECONFIG": str(kubeconfig)},
        python=Path(sys.executable),
    )


@contextlib.contextmanager
def ordinary_user() -> Iterator[User]:
    """Make a user who installs the tool as the README says, and who is gone at the end.

    The new user gets copies of the tester's caches: what takes minutes to build is not the
    subject.
    """
    name = f"bs{os.getpid()}"
    as_root("useradd", "--create-home", "--shell", "/bin/bash", name)
    try:
        home = Path(pwd.getpwnam(name).pw_dir)
        user = _user(name, home)
        _copy_caches(find_directories(), user.directories)
        tree = home / "bootstrap"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*_NOT_COPIED))
        as_root("chown", "-R", f"{name}:", str(home))
        installed = user.other(tree / "setup.sh")
        assert installed.exit_code == 0, installed.stdout + installed.stderr
        yield user
    finally:
        kill_all(lambda: _processes({name}, ".*"))
        as_root("userdel", "--remove", name)


@contextlib.contextmanager
def bare_user(name: str, inside: Sequence[str]) -> Iterator[User]:
    """Make a user who has nothing, and who is gone at the end; ``inside`` enters where they are.

    Nothing of the tester's environment is theirs. Their tool is where a bundle's page puts it.
    """
    as_root("useradd", "--create-home", "--shell", "/bin/bash", name)
    try:
        home = Path(pwd.getpwnam(name).pw_dir)
        user = _user(name, home)
        yield replace(
            user,
            python=home / "bootstrap/bin/python",
            become=(*inside, *user.become),
            environment={
                "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
                "HOME": str(home),
                "USER": name,
                "LOGNAME": name,
            },
        )
    finally:
        kill_all(lambda: _processes({name}, ".*"))
        as_root("userdel", "--remove", name)


def _user(name: str, home: Path) -> User:
    data = home / ".local/share/bootstrap"
    return User(
        name=name,
        home=home,
        directories=Directories(
            state=home / ".local/state/bootstrap",
            cache=home / ".cache/bootstrap",
            volumes=data / "volumes",
        ),
        kubeconfig=home / ".kube/config",
        environment=_environment(name, home),
        python=home / "bootstrap/.venv/bin/python",
        # It replaces itself with the program, so that a signal for it is one for the program.
        become=("setpriv", "--reuid", name, "--regid", name, "--init-groups", "--"),
    )


def _environment(name: str, home: Path) -> dict[str, str]:
    """Keep what the host needs for downloads, and nothing that is the tester's own."""
    kept = {key: text for key, text in os.environ.items() if not key.startswith(_OWN)}
    return {**kept, "HOME": str(home), "USER": name, "LOGNAME": name}


def _copy_caches(source: Directories, target: Directories) -> None:
    for found, wanted in (
        (source.cache / "artifacts", target.cache / "artifacts"),
        (source.cache / "bases", target.cache / "bases"),
        (source.images, target.images),
    ):
        if found.is_dir():
            wanted.parent.mkdir(parents=True, exist_ok=True)
            as_root("cp", "-a", "--sparse=always", str(found), str(wanted))


def as_root(program: str, *words: str) -> None:
    """Run a program of the system; the tester has to be root."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    subprocess.run([shutil.which(program, path=path) or program, *words], check=True)


def kill_all(find: Callable[[], list[psutil.Process]]) -> None:
    """Kill all processes that are found, and wait until none is."""
    for process in find():
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    until(lambda: not find())


def _processes(users: set[str], names: str) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["username", "name", "status", "cmdline"])
        if process.info["username"] in users
        and process.info["status"] != psutil.STATUS_ZOMBIE
        and re.fullmatch(names, process.info["name"])
    ]
