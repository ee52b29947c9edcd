"""A world of fakes whose waits take no time."""

import pytest

from tests.builders import FakeWorld, ports_with_fakes


@pytest.fixture
def world() -> FakeWorld:
    return ports_with_fakes()


@pytest.fixture(autouse=True)
def _slept(slept: list[float]) -> None:
    """Let every wait take no time."""
