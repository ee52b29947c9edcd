"""How many trials: a sample that is seeded and printed, or all."""

import os
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

IS_LONG = os.environ.get("BOOTSTRAP_FAULT_SCALE", "ci") == "long"
SEED = os.environ.get("BOOTSTRAP_FAULT_SEED") or str(random.randrange(2**32))


def chosen(trials: Sequence[T], *, sample: int, salt: str) -> list[T]:
    """Give all trials in the long form, else ``sample`` of them in their order."""
    if IS_LONG or sample >= len(trials):
        return list(trials)
    # Each test has its own sample, whichever tests run beside it.
    numbers = random.Random(f"{SEED} {salt}").sample(range(len(trials)), sample)
    return [trials[number] for number in sorted(numbers)]
