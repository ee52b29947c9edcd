"""Runs of the API: their events, their connections, threads, and their end by a token."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from bootstrap import CancelToken, Client, Cluster, Event
from bootstrap.adapters.directories import find_directories
from bootstrap.adapters.events.commands import log_command
from bootstrap.adapters.locks import locked
from bootstrap.composition import LazyPorts
from bootstrap.errors import BootstrapError, CancelledError, LockedError
from bootstrap.model.events import INTERRUPTED, Status, Step
from bootstrap.model.names import ClusterName
from tests.builders import FakePorts, FakeWorld, a_site, ports_with_fakes
from tests.fakes.events import FakeEvents
from tests.unit.api.conftest import composition_of

PATIENCE_S = 30


def test_a_caller_gets_each_event_of_each_run(client: Client) -> None:
    seen: list[Event] = []
    told = replace(client, on_event=seen.append)
    Cluster.up("demo", client=told)
    assert (seen[0].status, seen[0].detail) == (Status.STARTED, "up")
    assert (seen[-1].status, seen[-1].detail) == (Status.FINISHED, "up")
    assert [one.step for one in seen if one.status is Status.STARTED and one.step][-1] is (
        Step.VERIFY
    )
    run = seen[-1].run
    Cluster("demo", told).verify()
    assert seen[-1].run != run


def test_a_failed_run_ends_with_a_failed_event(client: Client, world: FakeWorld) -> None:
    seen: list[Event] = []
    world.api.sick_checks.add("dns")
    with pytest.raises(BootstrapError):
        Cluster.up("demo", client=replace(client, on_event=seen.append))
    assert (seen[-1].status, seen[-1].error) == (Status.FAILED, "verify-failed")


def test_a_file_that_cannot_be_read_is_an_error_of_ours(client: Client, world: FakeWorld) -> None:
    world.journal.failures["hypervisor.domains"] = PermissionError(13, "Permission denied", "/x")
    with pytest.raises(BootstrapError, match="Could not finish the command"):
        client.clusters()


def test_each_run_closes_its_connections(world: FakeWorld) -> None:
    made: list[FakePorts] = []
    closed: list[LazyPorts] = []

    class Closing(FakePorts):
        def close(self) -> None:
            closed.append(self)

    def ports(_: object, events: FakeEvents, cluster: ClusterName | None) -> FakePorts:
        made.append(Closing(world, a_site(), events, cluster))
        return made[-1]

    client = Client(composition=replace(composition_of(world), ports=ports))  # type: ignore[arg-type]
    Cluster.up("demo", client=client)
    world.api.sick_checks.add("dns")
    with pytest.raises(BootstrapError):
        Cluster("demo", client).verify()
    client.clusters()
    assert len(made) == 3
    assert closed == made


def test_the_ports_of_a_site_close_those_of_its_clusters(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    monkeypatch.setattr(
        "bootstrap.adapters.libvirt.connection.Connection.close",
        lambda connection: closed.append(connection.uri),
    )
    site = LazyPorts(a_site(uri="test:///one"), FakeEvents())
    of_cluster = site.cluster(ClusterName("demo"))
    assert of_cluster.hypervisor is not site.hypervisor
    site.close()
    assert closed == ["test:///one"] * 2


def test_two_clusters_of_two_threads_do_not_mix() -> None:
    """Each thread's events, and the commands of its threads, are its own."""
    both = threading.Barrier(2, timeout=PATIENCE_S)

    def make(name: str) -> list[Event]:
        seen: list[Event] = []
        world = ports_with_fakes()
        check = world.host.check

        def checked(*values: object, **more: object) -> None:
            both.wait()
            log_command(["look-at", name])
            both.wait()
            check(*values, **more)  # type: ignore[arg-type]

        world.host.check = checked  # type: ignore[method-assign]
        client = Client(composition=composition_of(world), on_event=seen.append)
        assert Cluster.up(name, client=client).verify().checks
        return seen

    with ThreadPoolExecutor(2) as pool:
        found = dict(zip(("a", "b"), pool.map(make, ("a", "b")), strict=True))
    for name, seen in found.items():
        commands = {one.detail for one in seen if one.status is Status.COMMAND}
        assert commands == {f"look-at {name}"}


def test_two_threads_on_one_cluster_keep_each_other_out(client: Client, world: FakeWorld) -> None:
    inside, outcome = threading.Event(), threading.Event()
    check = world.host.check

    def checked(*values: object, **more: object) -> None:
        inside.set()
        assert outcome.wait(PATIENCE_S)
        check(*values, **more)  # type: ignore[arg-type]

    world.host.check = checked  # type: ignore[method-assign]
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(Cluster.up, "demo", client=client)
        assert inside.wait(PATIENCE_S)
        try:
            with pytest.raises(LockedError, match="Another run works on cluster 'demo'"):
                Cluster("demo", client).down()
        finally:
            outcome.set()
        assert first.result(PATIENCE_S).verified.checks


def test_a_cancelled_run_leaves_what_a_killed_one_leaves(client: Client, world: FakeWorld) -> None:
    token, seen = CancelToken(), list[Event]()

    def take(event: Event) -> None:
        seen.append(event)
        if event.step is Step.BOOT:
            token.cancel()

    with pytest.raises(CancelledError) as caught:
        Cluster.up("demo", client=replace(client, on_event=take, cancel=token))
    assert caught.value.hint == "bootstrap list"
    assert len(world.hypervisor.domains()) == 2
    assert {one.error for one in seen if one.status is Status.FAILED} == {INTERRUPTED}
    assert Step.EVIDENCE not in {one.step for one in seen}
    assert Cluster.up("demo", client=client).verified.checks


def test_a_run_that_waits_for_a_lock_is_cancelled_by_another_thread(client: Client) -> None:
    token, waiting = CancelToken(), threading.Event()
    patient = replace(client, cancel=token, on_event=lambda _: waiting.set())

    def ports(*values: object) -> FakePorts:
        made = client.composition.ports(*values)  # type: ignore[arg-type]
        assert isinstance(made, FakePorts)
        made.lock_patience_s = PATIENCE_S
        return made

    patient = replace(patient, composition=replace(client.composition, ports=ports))
    path = find_directories().cluster_lock(ClusterName("demo"))
    with ThreadPoolExecutor(1) as pool, locked(path, what="cluster 'demo'"):
        run = pool.submit(Cluster("demo", patient).down)
        assert waiting.wait(PATIENCE_S)
        token.cancel()
        assert isinstance(run.exception(PATIENCE_S), CancelledError)


def test_a_block_whose_run_was_cancelled_removes_the_cluster(
    client: Client, world: FakeWorld
) -> None:
    token = CancelToken()
    with Cluster.up("demo", client=replace(client, cancel=token)) as demo:
        token.cancel()
        with pytest.raises(CancelledError):
            demo.stop()
    assert world.hypervisor.domains() == []
