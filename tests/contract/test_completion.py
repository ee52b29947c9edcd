"""Completion in real shells: bash and zsh on a terminal, fish as it asks itself."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.adapters.directories import Directories, find_directories
from bootstrap.adapters.marker import claim
from tests.shells import Terminal, terminal

ROOT = Path(__file__).parents[2]
#: A line, and its words after Tab and one more letter: an argument of its own if there is a space.
LINES = {
    "bootstrap stat": "status @",
    "bootstrap status d": "status demo @",
    "bootstrap status --output=js": "status --output=json @",
    "bootstrap status -o js": "status -o json @",
    "bootstrap ssh demo con": "ssh demo control-plane @",
    "bootstrap ssh demo wor": "ssh demo worker@",
    "bootstrap ssh demo worker2": "ssh demo worker2 @",
    "bootstrap cp demo con": "cp demo control-plane:@",
    "bootstrap cp demo worker2:/et": "cp demo worker2:/et@",
    "bootstrap cp demo fol": "cp demo folder/@",
    "bootstrap up --file=no": "up --file=notes @",
    "bootstrap up -f no": "up -f notes @",
    "bootstrap up --wor": "up --workers @",
    "bootstrap zz d": "zz d@",
}
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source ./script"),
    "zsh": (
        ["zsh", "-f", "-i"],
        "bindkey -e; autoload -Uz compinit; compinit -u -D; source ./script",
    ),
}


@pytest.fixture
def directories() -> Directories:
    found = find_directories()
    for root in (found.state, found.volumes):
        root.mkdir(parents=True)
        claim(root / "demo")
    for node in ("control-plane", "worker", "worker2"):
        (found.volumes / "demo" / node).mkdir()
        (found.volumes / "demo" / node / "root.qcow2").touch()
    return found


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Make a directory with a few files, and a program ``bootstrap`` beside them."""
    place = tmp_path / "place"
    (place / "folder").mkdir(parents=True)
    for name in ("notes", "my file"):
        (place / name).touch()
    program = tmp_path / "bin" / "bootstrap"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m bootstrap "$@"\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return place


def environment(place: Path) -> dict[str, str]:
    path = f"{place.parent / 'bin'}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PS1": "$ ", "TERM": "dumb"}


def bootstrap(place: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [place.parent / "bin" / "bootstrap", *words],
        env=environment(place) | variables,
        capture_output=True,
        text=True,
        check=True,
    )


def write_script(place: Path, shell: str) -> None:
    (place / "script").write_text(bootstrap(place, "completion", shell).stdout)


@pytest.fixture(params=list(SHELLS))
def prompt(
    request: pytest.FixtureRequest, directories: Directories, place: Path
) -> Iterator[Terminal]:
    del directories  # they only have to be there
    argv, setup = SHELLS[request.param]
    write_script(place, request.param)
    with terminal(argv, environment=environment(place), place=place) as found:
        found.run(setup)
        yield found


def test_a_line_is_completed_on_a_terminal(prompt: Terminal) -> None:
    found = {line: " ".join(prompt.completed(line)) for line in LINES}
    assert found == LINES


def test_a_file_with_a_space_is_one_word(prompt: Terminal) -> None:
    assert prompt.completed("bootstrap up -f my") == ["up", "-f", "my file", "@"]


@pytest.mark.usefixtures("directories")
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("bootstrap stat", ["status"]),
        ("bootstrap status d", ["demo"]),
        ("bootstrap status --output=js", ["--output=json"]),
        ("bootstrap ssh demo w", ["worker", "worker2"]),
        ("bootstrap cp demo con", ["control-plane:"]),
        ("bootstrap cp demo my", ["my file"]),
        ("bootstrap cp demo worker2:/et", []),
        ("bootstrap up --file=no", ["--file=notes"]),
        ("bootstrap zz d", []),
    ],
)
def test_fish_offers_words(place: Path, line: str, words: list[str]) -> None:
    write_script(place, "fish")
    code = f"source ./script; complete -C '{line}'"
    argv = ["fish", "--no-config", "-c", code]
    done = subprocess.run(
        argv, cwd=place, env=environment(place), capture_output=True, text=True, check=True
    )
    assert [found.partition("\t")[0] for found in done.stdout.splitlines()] == words
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_nothing_is_printed_or_made_for_a_user_who_has_nothing(place: Path, shell: str) -> None:
    """Not even an install id; nor is an error printed about files that cannot be read."""
    home = place / "home"
    words = ("bootstrap status ", "") if shell == "bash" else ("status", "")
    done = bootstrap(place, *words, _BOOTSTRAP_COMPLETE=shell, BOOTSTRAP_HOME=str(home))
    assert (done.stdout, done.stderr) == ("\n", "")
    assert not home.exists()
    (home / "state").mkdir(parents=True)
    (home / "state" / "install-id").mkdir()
    (home / "data").touch()
    done = bootstrap(place, *words, _BOOTSTRAP_COMPLETE=shell, BOOTSTRAP_HOME=str(home))
    assert (done.stdout, done.stderr) == ("\n", "")


def test_the_xdg_directories_are_honoured(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BOOTSTRAP_HOME")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))
    (tmp_path / "elsewhere" / "bootstrap").mkdir(parents=True)
    claim(tmp_path / "elsewhere" / "bootstrap" / "mine")
    done = bootstrap(place, "status", "", _BOOTSTRAP_COMPLETE="fish")
    assert done.stdout == "\nmine\t\n"
