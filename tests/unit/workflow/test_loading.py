"""The user's images on fakes with memory: into every node, once, and into nodes to come."""

import pytest

from bootstrap.errors import BootstrapError, LockedError, NotFoundError, TimedOutError, UsageError
from bootstrap.model.events import Step
from bootstrap.model.names import ClusterName
from bootstrap.waiting import NotYet
from bootstrap.workflow.down import down
from bootstrap.workflow.loading import load_images, loaded_images, unload_images
from bootstrap.workflow.up import up
from tests.builders import FakeWorld, a_cluster_spec, options
from tests.fakes.archives import an_image_named

DEMO = ClusterName("demo")
APP, TOOL = an_image_named("docker.io/library/app:1"), an_image_named("example.test/tool:2")
NEW_APP = an_image_named(APP.name, "new")
NODES = ("control-plane", "worker")


@pytest.fixture
def demo(world: FakeWorld) -> FakeWorld:
    up(a_cluster_spec(), world.ports, options())
    world.archives.sources |= {
        "app.tar": (APP,),
        "new.tar": (NEW_APP,),
        "both.tar": (APP, TOOL),
        "tool.tar": (TOOL,),
    }
    world.journal.clear()
    return world


def load(world: FakeWorld, *sources: str) -> int:
    result = load_images(DEMO, sources, world.ports)
    assert result.nodes == NODES
    return result.changed


def grow(world: FakeWorld) -> None:
    up(a_cluster_spec(workers=2), world.ports, options())


def lent(world: FakeWorld) -> list[object]:
    return [one.disks for one in world.hypervisor.domains_by_uuid.values() if one.disks]


def loaded(world: FakeWorld) -> dict[str, tuple[str, ...]]:
    return {one.image.name: one.nodes for one in loaded_images(DEMO, world.ports)}


def test_an_image_is_loaded_into_every_node_and_no_disk_is_left(demo: FakeWorld) -> None:
    assert load(demo, "both.tar") == 2
    assert loaded(demo) == {APP.name: NODES, TOOL.name: NODES}
    for node in NODES:
        assert demo.containerd.names(node) == {APP.name, TOOL.name}
    assert lent(demo) == []
    assert [step for _, step, _, _ in demo.events.seen if step][-1] is Step.LOAD


def test_what_is_there_is_not_read_again(demo: FakeWorld) -> None:
    load(demo, "app.tar")
    demo.journal.clear()
    assert load(demo, "app.tar") == 0
    assert demo.journal.changes_of("containerd", "hypervisor") == []


def test_a_node_that_lost_an_image_gets_it_alone(demo: FakeWorld) -> None:
    load(demo, "app.tar")
    demo.containerd.images["worker"].clear()
    demo.journal.clear()
    assert load(demo, "app.tar") == 1
    assert demo.journal.changes_of("containerd") == ["containerd.import worker"]


def test_another_image_of_the_same_name_takes_its_place(demo: FakeWorld) -> None:
    load(demo, "app.tar")
    assert load(demo, "new.tar") == 2
    (only,) = loaded_images(DEMO, demo.ports)
    assert (only.image, only.nodes) == (NEW_APP, NODES)
    assert [one.images for one in demo.archives.kept(DEMO)] == [(NEW_APP,)]


def test_a_node_that_is_added_later_gets_the_images_before_it_is_verified(
    demo: FakeWorld,
) -> None:
    load(demo, "app.tar", "tool.tar")
    demo.journal.clear()
    grow(demo)
    assert demo.containerd.names("worker2") == {APP.name, TOOL.name}
    calls = [
        one.split()[0]
        for one in demo.journal.calls
        if one.startswith(("containerd.", "api.verify"))
    ]
    assert calls == ["containerd.import"] * 2 + ["api.verify"]
    assert lent(demo) == []


def test_up_says_nothing_of_images_if_none_was_loaded(demo: FakeWorld) -> None:
    grow(demo)
    assert Step.LOAD not in {step for _, step, _, _ in demo.events.seen}


def test_the_archives_go_with_the_cluster(demo: FakeWorld) -> None:
    load(demo, "app.tar")
    down(DEMO, demo.ports)
    assert demo.archives.kept(DEMO) == []


@pytest.mark.parametrize("next_run", ["load", "up"])
def test_a_disk_that_a_killed_run_left_is_taken_back_by_the_next(
    demo: FakeWorld, next_run: str
) -> None:
    """R-01."""
    demo.journal.killed_after = 2  # both disks are attached
    with pytest.raises(KeyboardInterrupt):
        load(demo, "app.tar")
    assert len(lent(demo)) == 2
    assert demo.archives.kept(DEMO) == []
    demo.journal.killed_after = None
    if next_run == "load":
        load(demo, "app.tar")
    else:
        up(a_cluster_spec(), demo.ports, options())
    assert lent(demo) == []


def test_a_source_that_is_none_changes_nothing(demo: FakeWorld) -> None:
    with pytest.raises(UsageError):
        load(demo, "app.tar", "nothing.tar")
    assert demo.journal.changes == []


def test_a_cluster_that_is_not_there_is_found_out_before_an_engine_is_asked(
    world: FakeWorld,
) -> None:
    with pytest.raises(NotFoundError):
        load_images(DEMO, ["app.tar"], world.ports)
    assert "archives.found app.tar" not in world.journal.calls


def test_a_node_that_does_not_run_is_refused_before_anything_changes(demo: FakeWorld) -> None:
    demo.hypervisor.power_off_domain("demo-worker")
    demo.journal.clear()
    for act in (load_images, unload_images):
        with pytest.raises(BootstrapError) as caught:
            act(DEMO, ["app.tar"], demo.ports)
        assert caught.value.hint == "bootstrap start demo"
    assert demo.journal.changes == []


def test_a_node_that_refuses_is_named_and_nothing_is_kept_or_left(demo: FakeWorld) -> None:
    demo.containerd.refusing.add("worker")
    with pytest.raises(BootstrapError) as caught:
        load(demo, "app.tar")
    assert caught.value.message == "containerd on node 'worker' refused."
    assert caught.value.details == "ctr: unexpected EOF"
    assert caught.value.hint == "bootstrap logs demo worker"
    assert lent(demo) == []
    assert demo.archives.kept(DEMO) == []


def test_every_node_that_refuses_is_named(demo: FakeWorld) -> None:
    demo.containerd.refusing |= set(NODES)
    with pytest.raises(BootstrapError) as caught:
        load(demo, "app.tar")
    assert all(f"node '{node}'" in caught.value.details for node in NODES)


def test_a_node_that_does_not_answer_is_named(demo: FakeWorld) -> None:
    demo.journal.failures["shell.run worker"] = NotYet("timed out")
    with pytest.raises(BootstrapError) as caught:
        load(demo, "app.tar")
    assert caught.value.message == "Node 'worker' does not answer."
    demo.archives.sources["app.tar"] = ()
    del demo.journal.failures["shell.run worker"]
    load(demo, "tool.tar")
    demo.journal.failures["shell.run worker"] = NotYet("timed out")
    assert loaded(demo) == {TOOL.name: ("control-plane",)}


def test_a_guest_may_take_its_time_to_notice_the_disk(demo: FakeWorld, slept: list[float]) -> None:
    demo.containerd.slow = 3
    assert load(demo, "app.tar") == 2
    assert slept
    demo.containerd.slow = 10**6
    with pytest.raises(BootstrapError) as caught:
        load(demo, "tool.tar")
    assert "to notice a disk" in caught.value.details
    assert caught.value.exit_code == TimedOutError.exit_code
    assert lent(demo) == []


def test_what_the_kubelet_does_not_know_yet_is_waited_for(
    demo: FakeWorld, slept: list[float]
) -> None:
    demo.containerd.late = 4  # both nodes before, and once afterwards
    load(demo, "app.tar")
    assert slept
    demo.containerd.late = 10**6
    with pytest.raises(BootstrapError) as caught:
        load(demo, "tool.tar")
    assert f"it lacks {TOOL.name}" in caught.value.details


def test_unloading_removes_an_image_everywhere_and_its_archive_after_the_last(
    demo: FakeWorld,
) -> None:
    load(demo, "both.tar")
    assert list(unload_images(DEMO, ["app:1"], demo.ports)) == [APP.name]
    assert loaded(demo) == {TOOL.name: NODES}
    assert demo.containerd.images["worker"].keys() == {TOOL.name, TOOL.config}
    unload_images(DEMO, [TOOL.name], demo.ports)
    assert loaded(demo) == {}
    assert demo.archives.kept(DEMO) == []
    assert demo.containerd.images == {"control-plane": {}, "worker": {}}


def test_an_image_that_was_unloaded_does_not_come_back_with_a_new_node(demo: FakeWorld) -> None:
    load(demo, "both.tar")
    unload_images(DEMO, [APP.name], demo.ports)
    grow(demo)
    assert demo.containerd.names("worker2") == {TOOL.name}


def test_unloading_what_is_gone_from_a_node_is_no_fault(demo: FakeWorld) -> None:
    load(demo, "app.tar")
    demo.containerd.images["worker"].clear()
    unload_images(DEMO, [APP.name], demo.ports)
    assert loaded(demo) == {}


@pytest.mark.parametrize("name", ["other:1", "App:1", "a@sha256:b"])
def test_unloading_what_was_not_loaded_is_wrong_use(demo: FakeWorld, name: str) -> None:
    load(demo, "app.tar")
    demo.journal.clear()
    with pytest.raises(UsageError) as caught:
        unload_images(DEMO, ["app:1", name], demo.ports)
    assert APP.name in caught.value.details
    assert demo.journal.changes == []


def test_two_runs_on_the_same_cluster_are_refused(demo: FakeWorld) -> None:
    with demo.ports.cluster(DEMO).lock():
        for act in (load_images, unload_images):
            with pytest.raises(LockedError):
                act(DEMO, ["app.tar"], demo.ports.cluster(DEMO))
