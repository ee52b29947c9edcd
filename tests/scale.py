"""How much the fault tests do, and from which seed: the same two variables everywhere.

``BOOTSTRAP_FAULT_SCALE`` is ``ci`` (the default) or ``long``; ``BOOTSTRAP_FAULT_SEED`` makes
a run the same again. A sample in CI always has the same seed; a long run takes a new one.
"""

import os
import random
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import HealthCheck, Phase, seed, settings

T = TypeVar("T")

IS_LONG = {"ci": False, "long": True}[os.environ.get("BOOTSTRAP_FAULT_SCALE", "ci")]
PHASES = os.environ.get("BOOTSTRAP_FAULT_PHASES", "explicit generate shrink").split()
SEED = int(os.environ.get("BOOTSTRAP_FAULT_SEED") or (time.time_ns() // 10**6 if IS_LONG else 1))


def trials(*, ci: int, long: int) -> int:
    return long if IS_LONG else ci


def chance(*names: object) -> random.Random:
    """Return randomness for one test, which other tests' numbers of trials do not change."""
    return random.Random("/".join(str(name) for name in (SEED, *names)))  # noqa: S311 - moments and sizes, not secrets


def chosen(points: Sequence[T], *, sample: int, salt: str) -> list[T]:
    """Return all points in the long form, else ``sample`` of them in their order."""
    if IS_LONG or sample >= len(points):
        return list(points)
    numbers = chance(salt).sample(range(len(points)), sample)
    return [points[number] for number in sorted(numbers)]


def tried(*, ci: int, long: int, **more: object) -> settings:
    """Say how many examples Hypothesis tries; none is a matter of time."""
    return settings(
        max_examples=trials(ci=ci, long=long),
        deadline=None,
        database=None,
        print_blob=True,
        # Explaining a failure costs many more runs than finding it.
        phases=[phase for phase in Phase if phase.name in PHASES],
        suppress_health_check=list(HealthCheck),
        **more,  # type: ignore[arg-type]
    )


def fuzzed(*, ci: int, long: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorate a test of Hypothesis with its number of examples and the seed."""
    return lambda test: seed(SEED)(tried(ci=ci, long=long)(test))


def told(text: str) -> None:
    """Note what a trial does, for the report if it fails."""
    print(text)  # noqa: T201 - pytest shows it with a failure


def header() -> str:
    """Say how to run the same again."""
    return f"BOOTSTRAP_FAULT_SCALE={'long' if IS_LONG else 'ci'} BOOTSTRAP_FAULT_SEED={SEED}"
