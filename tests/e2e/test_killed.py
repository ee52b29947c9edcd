"""A real `up` that is killed at each moment of its life (G-01, R-06, L-01, L-03)."""

import json
import os
from collections.abc import Callable

import pytest

from tests.e2e.killing import MOMENTS
from tests.e2e.people import User

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        os.environ.get("BOOTSTRAP_E2E") != "all",
        reason="four more clusters; CI kills one at a random moment (BOOTSTRAP_E2E=all)",
    ),
]


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_next_up_converges_and_down_leaves_nothing(
    moment: str, user: User, cluster: str, inventory: Callable[[], dict[str, object]]
) -> None:
    before = inventory()
    user.killed("up", cluster, "--workers", "1", at=moment, delay_s=5)
    result = json.loads(user.succeed("up", cluster, "--workers", "1", "-o", "json"))
    assert result["verified"]
    user.killed("down", cluster, at="Removing", delay_s=0.5)
    user.succeed("down", cluster)
    assert inventory() == before
