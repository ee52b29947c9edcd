"""Every command that we tell a user to type is one that our command line takes (V-02, G-24).

What other programs make of theirs is in ``tests/contract/test_hints.py``.
"""

import contextlib
import re
import shlex
import signal
from pathlib import Path

import click
import pytest

from bootstrap import errors
from bootstrap.cli.group import cli
from bootstrap.errors import BootstrapError
from tests.commands import DOCUMENTS, PACKAGE, PLACE, ROOT, Told, everything, in_package
from tests.ours import NOT_RUN, ours_of, why_not_run
from tests.unit.cli.conftest import FakeCommandLine as CommandLine
from tests.unit.cli.conftest import write_consoles

TOLD = everything()
OURS = ours_of(TOLD)
each_of_ours = pytest.mark.parametrize(
    ("told", "words"), OURS, ids=[f"{one.place}-{shlex.join(words)}" for one, words in OURS]
)


def test_every_hint_is_a_command_that_is_known_how_to_fill() -> None:
    """A placeholder that may hold a space is quoted; all others are known."""
    assert in_package().unknown == []


def test_commands_are_found_in_all_places() -> None:
    assert len(in_package().told) > 60
    assert {told.place.partition(":")[0] for told in TOLD} >= {"README.md", "CONTRIBUTING.md"}
    assert {told.line for told in TOLD} >= {
        "bootstrap list",  # an argument
        "ss -ltnu",  # a positional argument's default of doctor
        "bootstrap doctor",  # one side of a condition
        f"kubectl --kubeconfig '{PLACE}' get --raw /readyz",  # a property
        "sudo apt-get install openssh-client",
        "bootstrap ssh demo worker -- uptime",  # a help text
        f"export KUBECONFIG='{PLACE}'",  # printed after `up`
    }


@pytest.mark.parametrize(
    ("source", "found", "unknown"),
    [
        ('raise E("x", hint="bootstrap list")', ["bootstrap list"], 0),
        ('raise E("x", hint=f"bootstrap down {cluster}")', ["bootstrap down demo"], 0),
        ('raise E("x", hint=f"ls {shlex.quote(str(path))}")', [f"ls '{PLACE}'"], 0),
        ('raise E("x", hint=f"ls {path}")', [f"ls {PLACE}"], 1),
        ('raise E("x", hint=f"ls {node.nothing}")', [], 1),
        ('raise E("x", hint="ls -l" if a else "df -h")', ["ls -l", "df -h"], 0),
        ('H = "ls -l"\nraise E("x", hint=H)', ["ls -l"], 0),
        ('def f():\n  return "ls -l"\nraise E("x", hint=f())', ["ls -l"], 0),
        ('def f(a, fix):\n  E(fix=fix)\nf(1, "ls -l")', ["ls -l"], 0),
        ('def f():\n  h = "ls -l"\n  E(hint=h)', ["ls -l"], 0),
        ('raise E("x", hint="l" + "s")', [], 1),
        ('raise E("x", hint="frobnicate it")', [], 1),
        ('raise E("x", hint=f"frobnicate {cluster}")', [], 1),
        ('print("kubectl get nodes")', ["kubectl get nodes"], 0),
        ("print(f\"Say 'bootstrap down {name}'.\")", ["bootstrap down demo"], 0),
        ('"""bootstrap list"""', [], 0),
    ],
)
def test_whichever_way_it_is_written_a_hint_is_found_or_reported(
    source: str, found: list[str], unknown: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "module.py"
    path.write_text(source)
    monkeypatch.setattr("tests.commands.PACKAGE", tmp_path)
    result = in_package([path])
    assert [told.text for told in result.told] == found
    assert len(result.unknown) == unknown


@each_of_ours
def test_our_command_line_takes_it(
    told: Told, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("ready.snapshot", "kubernetes.bundle"):  # which have to exist
        (tmp_path / name).touch()
    try:
        _parse(words)
    except click.UsageError as error:
        pytest.fail(f"{told.place}: {error.format_message()}")


def _parse(words: list[str]) -> None:
    """Let click read the words as it would; unknown commands, options and words raise."""
    context = click.Context(cli, info_name="bootstrap")
    command: click.Command | None = cli
    while isinstance(command, click.Group) and not words[0].startswith("-"):
        name, *words = words
        command = command.get_command(context, name)
        assert command is not None, f"there is no command '{name}'"
    assert command is not None
    with contextlib.suppress(click.exceptions.Exit):  # of --help
        command.make_context(command.name, list(words), parent=context)


@pytest.mark.parametrize(
    ("told", "words"),
    [(one, words) for one, words in OURS if not one.story],
    ids=lambda value: value.place if isinstance(value, Told) else shlex.join(value),
)
def test_it_runs_where_there_is_a_cluster(
    told: Told, words: list[str], demo: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reason := why_not_run(words):
        pytest.skip(reason)
    monkeypatch.chdir(tmp_path)
    if "--console" in words:
        write_consoles(demo, tmp_path)
    if {"snapshot", "reset", "--from"} & set(words):
        demo.done("snapshot", "save", "demo", "ready")
    if "--from" in words and "demo" in words:
        demo.done("down", "demo")
    if "-f" in words:
        path = tmp_path / "cluster.yaml"
        demo.done("init", "--file", str(path))
        words = [str(path) if word in (PLACE, path.name, "THIS-FILE") else word for word in words]
    result = demo.run(*words)
    assert result.exit_code == 0, f"{told.place}: {result.stderr}"


def test_nothing_is_set_aside_that_no_line_names() -> None:
    lines = [" ".join(words) for _, words in OURS]
    assert [name for name in NOT_RUN if not any(line.startswith(name) for line in lines)] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_an_option_that_a_document_names_exists(path: Path) -> None:
    """In inline code that begins with it, or that follows one of our commands."""
    named = set(re.findall(r"`(--[a-z-]+)[ =`]", path.read_text()))
    assert named <= _options(), path.relative_to(ROOT)


def test_an_option_that_a_message_names_exists() -> None:
    texts = [(path, path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))]
    sentences = [
        (path.name, option)
        for path, text in texts
        for option in re.findall(r"[a-z,;.] (--[a-z]+(?:-[a-z]+)*) (?:leaves|says|asks|to)\b", text)
    ]
    assert sentences
    assert {option for _, option in sentences} <= _options()


def _options() -> set[str]:
    context = click.Context(cli)
    found = set()
    commands: list[click.Command] = [cli]
    while commands:
        command = commands.pop()
        found |= {option for parameter in command.params for option in parameter.opts}
        if isinstance(command, click.Group):
            subcommands = [command.get_command(context, n) for n in command.list_commands(context)]
            commands += [one for one in subcommands if one is not None]
    return found | {"--help"}


def test_the_exit_codes_that_a_help_text_names_are_real() -> None:
    context = click.Context(cli)
    named = {}
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        codes = re.findall(r"[Ee]xits? (?:with|code) (\d+)", command.help or "")
        named[name] = {int(code) for code in codes}
    assert named["doctor"] == {errors.HostError.exit_code}
    assert set().union(*named.values()) <= _known_codes()


def _known_codes() -> set[int]:
    kinds: list[type[BootstrapError]] = [BootstrapError, *_children(BootstrapError)]
    ended_by = (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGTERM)
    return {0, *(128 + number for number in ended_by), *(kind.exit_code for kind in kinds)}


def _children(kind: type[BootstrapError]) -> list[type[BootstrapError]]:
    return [one for child in kind.__subclasses__() for one in (child, *_children(child))]
