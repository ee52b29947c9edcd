"""What a watch sees of a cluster, well, sick or gone."""

import pytest

from bootstrap.errors import BootstrapError, NotFoundError
from bootstrap.model.cluster import ClusterState
from bootstrap.model.names import ClusterName
from bootstrap.workflow.up import up
from bootstrap.workflow.watching import Moment, Watch
from tests.builders import FakeWorld, a_cluster_spec, options
from tests.fakes.cluster_api import FakePod

DEMO = ClusterName("demo")
CONTROL_PLANE, WORKER = "control-plane", "worker"


class Seconds:
    """Is a clock that goes five seconds a look."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        self.now_s += 5
        return self.now_s


@pytest.fixture
def watch(world: FakeWorld) -> Watch:
    up(a_cluster_spec(), world.ports, options())
    return Watch(DEMO, world.ports, clock=Seconds())


def by_node(moment: Moment, what: str) -> dict[str, object]:
    return {node.status.domain.name: getattr(node, what) for node in moment.nodes}


def test_each_node_is_seen_from_outside_and_from_inside(world: FakeWorld, watch: Watch) -> None:
    world.api.pods = [FakePod(name="a", node=WORKER), FakePod(name="b", node=WORKER)]
    first, second = watch.look(), watch.look()
    assert second.status.state is ClusterState.RUNNING
    assert by_node(second, "pods") == {CONTROL_PLANE: 0, WORKER: 2}
    assert by_node(second, "host_memory_mib") == {CONTROL_PLANE: 1500, WORKER: 1500}
    # What was used before the first look says nothing of now.
    assert by_node(first, "host_cpus") == {CONTROL_PLANE: None, WORKER: None}
    assert by_node(second, "host_cpus") == {CONTROL_PLANE: 0.5, WORKER: 0.5}
    assert [node.use.cpus for node in second.nodes if node.use] == [0.25, 0.25]
    assert (second.pods, list(second.snapshots)) == ({"Running": 2}, [])


def test_a_machine_that_was_started_anew_counts_from_its_start(
    world: FakeWorld, watch: Watch
) -> None:
    watch.look()
    world.hypervisor.cpu_s = -10
    assert by_node(watch.look(), "host_cpus") == {CONTROL_PLANE: None, WORKER: None}
    assert by_node(watch.look(), "host_cpus") == {CONTROL_PLANE: 0.5, WORKER: 0.5}


def test_an_api_server_that_does_not_answer_leaves_its_part_out(
    world: FakeWorld, watch: Watch
) -> None:
    world.api.is_up = False
    moment = watch.look()
    assert moment.status.state is ClusterState.SICK
    assert by_node(moment, "use") == {CONTROL_PLANE: None, WORKER: None}
    assert by_node(moment, "host_memory_mib") == {CONTROL_PLANE: 1500, WORKER: 1500}
    assert moment.pods == {}


@pytest.mark.parametrize("call", ["api.list_pods", "api.use_of_nodes", "hypervisor.use"])
def test_a_part_that_fails_leaves_the_others(world: FakeWorld, watch: Watch, call: str) -> None:
    world.journal.failures[call] = BootstrapError("No.")
    assert [node.status.kubernetes for node in watch.look().nodes] == ["Ready", "Ready"]


def test_a_cluster_that_is_gone_is_not_found(world: FakeWorld, watch: Watch) -> None:
    world.hypervisor.domains_by_uuid.clear()
    with pytest.raises(NotFoundError):
        watch.look()
