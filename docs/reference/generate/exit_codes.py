"""The page of the exit codes, from the errors and the signals."""

import signal
from collections.abc import Iterator

from bootstrap.cli.status import EXIT_CODES
from bootstrap.errors import BootstrapError
from bootstrap.model.events import INTERNAL, INTERRUPTED
from docs.reference.generate.markdown import code, table

_HEAD = """\
# Exit codes and error ids

This page is generated from `bootstrap/errors.py`. An error is a message, its details and a hint to
type, on stderr. Its id is the key `error` of the last [event](events.md).

"""
_STATUS = """
With `--exit-code`, `bootstrap status NAME` ends with the state of the cluster:

"""
_ENDED = {
    signal.SIGHUP: "The terminal has gone; the same command goes on.",
    signal.SIGINT: "Ctrl-C; the same command goes on.",
    signal.SIGTERM: "Ended from outside; the same command goes on.",
}


def exit_codes() -> str:
    """Return the page of the exit codes."""
    rows: list[tuple[int, str, str]] = [(0, "", "Done.")]
    rows += [(kind.exit_code, kind.code, _meaning(kind)) for kind in _kinds(BootstrapError)]
    rows += [(128 + number, INTERRUPTED, text) for number, text in _ENDED.items()]
    rows.append((128 + signal.SIGPIPE, "", "The reader of the output has gone."))
    rows.append((1, INTERNAL, "A defect of this program, with a traceback."))
    codes = table(
        ["code", "error id", "what has happened"],
        [(number, code(name) if name else "", text) for number, name, text in sorted(rows)],
    )
    states = table(
        ["code", "state"], sorted((number, state.value) for state, number in EXIT_CODES.items())
    )
    return f"{_HEAD}{codes}{_STATUS}{states}"


def _kinds(kind: type[BootstrapError]) -> Iterator[type[BootstrapError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _kinds(child)


def _meaning(kind: type[BootstrapError]) -> str:
    if kind is BootstrapError:
        return "A step failed."
    return (kind.__doc__ or "").partition("\n")[0]
