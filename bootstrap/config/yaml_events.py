"""Turn bytes into YAML's events, and every way to fail at it into one problem."""

import re
from typing import Any

import yaml

from bootstrap.config.problems import Place, Problem, shown

MAX_BYTES = 256 * 1024
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class UnreadableError(Exception):
    """Reading cannot go on; ``problem`` says why."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(message)
        self.problem = Problem(path=(), message=message, place=place)


class Events:
    """The events of one text, from PyYAML's parser, which keeps no call stack.

    :raises UnreadableError: if the bytes are too many or not text.
    """

    def __init__(self, content: bytes) -> None:
        # Any: the stubs leave the parser's methods untyped.
        self._loader: Any = yaml.SafeLoader(_decoded(content))

    def next(self) -> yaml.Event:
        """Read on to the next event.

        :raises UnreadableError: if what follows is not YAML.
        """
        try:
            event: yaml.Event = self._loader.get_event()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark or self._loader.get_mark()
            raise UnreadableError(_explained(error), _counted_from_1(mark)) from error
        except (ValueError, OverflowError) as error:
            # PyYAML does not guard its chr() and int(): "\UFFFFFFFF", %YAML 1.99999...
            raise UnreadableError(
                "this is not YAML: a character or version number that cannot be",
                _counted_from_1(self._loader.get_mark()),
            ) from error
        return event


def place_of(event: yaml.Event) -> Place:
    """Say where an event begins."""
    return _counted_from_1(event.start_mark)


def _counted_from_1(mark: Any) -> Place:  # noqa: ANN401 - two classes and None in the stubs
    return Place(mark.line + 1, mark.column + 1)


def _decoded(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise UnreadableError(f"the file is larger than {MAX_BYTES // 1024} KiB", Place(1, 1))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8", "replace")
        raise UnreadableError("the file is not UTF-8 text", _end_of(before)) from error
    if found := _CONTROL.search(text):
        raise UnreadableError(
            f"the control character '{shown(found.group())}' is not text; remove it",
            _end_of(text[: found.start()]),
        )
    return text


def _end_of(text: str) -> Place:
    lines = text.split("\n")
    return Place(len(lines), len(lines[-1]) + 1)


def _explained(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or error.context or "unknown"
    if "'\\t'" in problem:
        return "a tab stands here; indent with spaces"
    return f"this is not YAML: {shown(problem)}"
