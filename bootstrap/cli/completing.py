"""Complete a command line that a user types: from the table of commands and local names alone.

A shell asks at each press of Tab, so this loads neither click nor a module of any command.
"""

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bootstrap.cli import COMPLETING
from bootstrap.cli.commands import Kind, Value
from bootstrap.cli.typed import TypedLine, split_line

#: Gives the names of a kind; those of a cluster if there is one on the line.
Names = Callable[[str, str], Sequence[str]]
_SAFE = re.compile(r"[\w./:@+-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """What may stand in place of the last word."""

    #: Each with a text that explains it.
    words: Mapping[str, str]
    #: Whether names of files may stand there too.
    files: bool = False


def complete(words: Sequence[str], names: Names) -> Answer:
    """Complete the last of the words that follow the program's name."""
    line, current = TypedLine(), words[-1]
    for word in words[:-1]:
        line.take(word)
    answer = _answer(line, current, names)
    fitting = {word: text for word, text in answer.words.items() if word.startswith(current)}
    return Answer(fitting, answer.files)


def _answer(line: TypedLine, current: str, names: Names) -> Answer:
    if line.pending:
        return _values(line.pending, line, names, current)
    if line.has_options and current.startswith("--") and "=" in current:
        return _after_equals(line, current, names)
    if line.has_options and current.startswith("-"):
        return Answer(dict(_options(line)))
    if "commands" in line.command:
        commands = line.command["commands"]
        return Answer({name: command["summary"] for name, command in commands.items()})
    return _values(line.argument, line, names, current) if line.argument else Answer({})


def _after_equals(line: TypedLine, current: str, names: Names) -> Answer:
    name, _, rest = current.partition("=")
    option = line.option(name)
    if option is None or "value" not in option:
        return Answer({})
    found = _values(option["value"], line, names, rest)
    return Answer({f"{name}={word}": text for word, text in found.words.items()}, found.files)


def _options(line: TypedLine) -> Iterator[tuple[str, str]]:
    for option in line.command["options"]:
        is_free = option.get("value", {}).get("many") or not line.used & set(option["names"])
        if is_free:
            yield from ((name, option["help"]) for name in option["names"])


def _values(value: Value, line: TypedLine, names: Names, current: str) -> Answer:
    kind = value["kind"]
    if kind == Kind.CHOICE:
        return Answer(dict.fromkeys(value["choices"], ""))
    if kind == Kind.FILE:
        return Answer({}, files=True)
    if kind == Kind.PLACE:
        nodes = [f"{name}:" for name in _safe(names(Kind.NODE, line.cluster))]
        is_remote = current.partition(":")[0] + ":" in nodes
        return Answer({} if is_remote else dict.fromkeys(nodes, "a node"), files=not is_remote)
    given = line.arguments if value.get("many") else ()
    found = _safe(names(kind, line.cluster)) if kind else []
    return Answer({name: "" for name in found if name not in given})


def _safe(found: Iterable[str]) -> list[str]:
    """Keep the names that mean nothing to a shell: bash puts them on the line as they are."""
    return [name for name in found if _SAFE.fullmatch(name)]


def main(arguments: Sequence[str]) -> None:
    """Print the answer to a shell: ``files`` or nothing, then a line for each word."""
    cut = ""
    words = list(arguments)
    if os.environ[COMPLETING] == "bash":
        # Bash ends a word at each ':' and '=' and replaces only what follows.
        text, replaced = arguments
        words = split_line(text)[1:]
        cut = words[-1].removesuffix(replaced) if words[-1].endswith(replaced) else ""
    answer = complete(words, _names)
    lines = ["files" if answer.files else ""]
    lines += [f"{word.removeprefix(cut)}\t{text}" for word, text in answer.words.items()]
    if os.environ[COMPLETING] == "bash":
        lines = [line.partition("\t")[0] for line in lines]
    sys.stdout.write("\n".join(lines) + "\n")


def _names(kind: str, cluster: str) -> Sequence[str]:
    from bootstrap.composition import known_names  # noqa: PLC0415 - not for options

    known = known_names()
    answers: Mapping[str, Callable[[], Sequence[str]]] = {
        Kind.CLUSTER: known.clusters,
        Kind.SAVED_CLUSTER: known.all_clusters,
        Kind.NODE: lambda: known.nodes(cluster),
        Kind.SNAPSHOT: lambda: known.snapshots(cluster),
        Kind.ANY_SNAPSHOT: known.all_snapshots,
        Kind.IMAGE: lambda: known.images(cluster),
        Kind.RUN: lambda: ["last", *known.runs(cluster)],
    }
    return answers[kind]()
