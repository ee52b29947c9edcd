"""How many trials a fault run makes, and the seed that makes one happen again."""

import os
import random
import secrets

import pytest

_SCALE, _SEED = "BOOTSTRAP_FAULT_SCALE", "BOOTSTRAP_FAULT_SEED"
_TOLD = pytest.StashKey[bool]()

SCALE = os.environ.get(_SCALE, "ci")
#: In CI the same every time, so that a red run is a change's fault; a long run explores.
SEED = int(os.environ.get(_SEED) or (1 if SCALE == "ci" else secrets.randbelow(1_000_000)))


def trials(*, ci: int, long: int) -> range:
    """Number the trials of one subject."""
    return range({"ci": ci, "long": long}[SCALE])


def chance(*names: object) -> random.Random:
    """Give the same numbers for the same seed and names, whatever else runs."""
    return random.Random("/".join(str(name) for name in (SEED, *names)))


def told(text: str) -> None:
    """Note what a trial does, for the report if it fails."""
    print(text)  # noqa: T201 - pytest shows it with a failure


def tell(reporter: pytest.TerminalReporter) -> None:
    """Print once what it takes to repeat this run."""
    if not reporter.config.stash.get(_TOLD, False):
        reporter.config.stash[_TOLD] = True
        reporter.write_line(f"fault trials: {_SCALE}={SCALE} {_SEED}={SEED}")
