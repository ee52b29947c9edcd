"""The Python API on a world of fakes."""

import pytest

from bootstrap import Client
from bootstrap.composition import Composition
from tests.builders import FakePorts, FakeWorld, a_site, ports_with_fakes


def composition_of(world: FakeWorld) -> Composition:
    return Composition(ports=lambda _, events, cluster: FakePorts(world, a_site(), events, cluster))


@pytest.fixture
def world() -> FakeWorld:
    return ports_with_fakes()


@pytest.fixture
def client(world: FakeWorld) -> Client:
    return Client(composition=composition_of(world))
