"""Every hint in the code is something to type (V-02, G-24)."""

import ast
import contextlib
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from bootstrap.cli.group import cli

PACKAGE = Path(__file__).parents[3] / "bootstrap"
#: What hints tell to type besides our own commands.
PROGRAMS = frozenset(
    (
        "sudo",
        "chmod",
        "cp",
        "cd",
        "df",
        "export",
        "kubeadm",
        "kubectl",
        "less",
        "ls",
        "mv",
        "ps",
        "rm",
        "ss",
    )
)
#: Stands for every value that a hint fills in; a number, a name and a path.
FILLED = "1"


def _text(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else FILLED for part in node.values)
        return "".join(str(part) for part in parts)
    return None


def _expressions(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.IfExp):
        yield from _expressions(node.body)
        yield from _expressions(node.orelse)
    else:
        yield node


def _hints() -> Iterator[tuple[str, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg in {"hint", "fix"}:
                for expression in _expressions(node.value):
                    text = _text(expression)
                    if text:
                        place = f"{path.relative_to(PACKAGE)}:{node.value.lineno}"
                        yield place, text


HINTS = list(_hints())


def test_there_are_hints() -> None:
    assert len(HINTS) > 50


@pytest.mark.parametrize(("place", "hint"), HINTS, ids=[place for place, _ in HINTS])
def test_a_hint_is_a_command(place: str, hint: str) -> None:
    """A few words may stand before it, with a colon."""
    command = hint.rpartition(": ")[2]
    words = shlex.split(command)
    if words[0] != "bootstrap":
        assert words[0] in PROGRAMS or words[0].startswith(FILLED), f"{place}: {hint}"
        return
    _parse(words[1:])


def _parse(words: list[str]) -> None:
    """Let click read the words as it would; unknown commands, options and words raise."""
    context = click.Context(cli, info_name="bootstrap")
    command: click.Command | None = cli
    while isinstance(command, click.Group):
        name, *words = words
        command = command.get_command(context, name)
        assert command is not None, f"there is no command '{name}'"
    assert command is not None
    if ">" in words:
        words = words[: words.index(">")]
    with contextlib.suppress(click.exceptions.Exit):  # of --help
        command.make_context(command.name, list(words), parent=context)
