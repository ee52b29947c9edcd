"""What a program gets from the API; the command line's tests go through it as well."""

import subprocess
import sys
import traceback
from pathlib import Path
from typing import get_type_hints

import pytest

from bootstrap import Client, Cluster
from bootstrap.api import ClusterOptions
from bootstrap.config.options import OPTIONS
from bootstrap.errors import (
    BootstrapError,
    ConfigError,
    HostError,
    NotFoundError,
    UsageError,
    VerifyError,
)
from bootstrap.model.cluster import ClusterState, DomainState
from bootstrap.ports import ShellResult
from bootstrap.waiting import NotYet
from tests.builders import FakeWorld, write_kubectl
from tests.fakes.archives import an_image_named


@pytest.fixture
def demo(client: Client) -> Cluster:
    return Cluster.up("demo", client=client)


def test_up_returns_a_verified_cluster(demo: Cluster) -> None:
    assert (demo.name, repr(demo)) == ("demo", "Cluster('demo')")
    assert all(check.ok for check in demo.verified.checks)
    assert demo.kubeconfig() == demo.verified.kubeconfig == Path("/state/demo/kubeconfig")
    assert demo.status().state is ClusterState.RUNNING
    assert demo.verify().checks


def test_options_go_over_the_file_and_the_file_over_defaults(
    client: Client, tmp_path: Path
) -> None:
    file = tmp_path / "cluster.yaml"
    file.write_text(
        "apiVersion: bootstrap.dev/v1alpha1\nkind: Cluster\nmetadata: {name: filed}\n"
        "nodes:\n- {role: control-plane}\n- {role: worker, count: 3, memory: 2GiB}\n"
    )
    preview = Cluster.plan(file=file, workers=2, memory="4GiB", client=client)
    assert preview.plan.name.text == "filed"
    assert [node.name for node in preview.plan.workers] == ["worker", "worker2"]
    assert {node.memory_mib for node in preview.plan.nodes} == {4096}
    assert Cluster.up(file=file, client=client).name == "filed"


def test_every_option_of_the_command_line_is_one_of_the_api() -> None:
    place = {"name", "hypervisor"}
    assert set(get_type_hints(ClusterOptions)) == {option.name for option in OPTIONS} - place


def test_a_wrong_option_is_refused_before_anything_is_made(
    client: Client, world: FakeWorld
) -> None:
    with pytest.raises(ConfigError):
        Cluster.up("demo", workers=-1, client=client)
    with pytest.raises(UsageError):
        Cluster("../demo", client)
    assert world.journal.changes == []


def test_a_block_ends_with_the_cluster(client: Client, world: FakeWorld) -> None:
    with Cluster.up("demo", client=client) as demo:
        assert [cluster.name.text for cluster in client.clusters()] == [demo.name]
    assert client.clusters() == []
    with pytest.raises(ZeroDivisionError), Cluster.up("demo", client=client):
        _ = 1 / 0
    assert world.hypervisor.domains() == []


def test_a_cached_cluster_is_made_once_and_then_cloned(client: Client) -> None:
    made = [Cluster.up(name, cached=True, client=client) for name in ("a", "b")]
    assert [cluster.verified.plan.name.text for cluster in made] == ["a", "b"]
    [snapshot] = client.snapshots("cached")
    assert snapshot.id == Cluster.cached_snapshot("c", client=client).snapshot


def test_a_snapshot_is_restored_and_cloned(demo: Cluster, client: Client) -> None:
    saved = demo.snapshot("ready", note="for tests")
    assert str(saved.snapshot.id) == "demo/ready"
    twin = Cluster.from_snapshot("demo/ready", "twin", client=client)
    assert twin.verified.plan.name.text == "twin"
    assert Cluster.from_snapshot("demo", "third", client=client).verify().checks
    assert demo.restore("ready").plan.name.text == "demo"
    assert demo.restore().checks
    assert twin.reset().checks
    assert [one.note for one in demo.snapshots()] == ["for tests"]
    client.delete_snapshots("demo/ready")
    assert demo.snapshots() == []


def test_the_life_of_a_cluster(demo: Cluster) -> None:
    assert demo.stop().changed == ["worker", "control-plane"]
    assert demo.status().state is ClusterState.STOPPED
    assert demo.start().checks
    assert demo.suspend("worker").changed == ["worker"]
    assert demo.resume().checks
    assert demo.reboot().checks
    assert demo.add_nodes(1).plan.nodes[-1].name == "worker2"
    assert demo.replace_node("worker2").checks
    assert demo.remove_nodes("worker2").removed == ["worker2"]
    assert demo.down().state
    with pytest.raises(NotFoundError):
        demo.status()


def test_a_node_is_found_and_used(demo: Cluster, world: FakeWorld) -> None:
    world.shell.programs.append(
        lambda node, command: (
            ShellResult(exit_status=0, stdout=f"{node.name} is up\n", stderr="")
            if command == "uptime"
            else None
        )
    )
    [plane, worker] = demo.nodes()
    assert (plane.name, worker.name) == ("control-plane", "worker")
    assert (worker.role, worker.state) == ("worker", DomainState.RUNNING)
    assert worker.run("uptime").stdout == "worker is up\n"
    assert demo.run("uptime").stdout == "control-plane is up\n"
    assert worker.ssh_command("true")[-3:] == ["--", "worker", "true"]
    worker.stop()
    assert demo.node("worker").state is DomainState.SHUT_OFF
    worker.start()
    assert worker.logs().name == "demo-logs-0.tar.gz"
    said = ShellResult(exit_status=0, stdout="one\ntwo\n", stderr="")
    world.shell.answers["exec journalctl --no-pager --follow --lines 20"] = said
    with demo.following("worker") as lines:
        assert next(lines) == "one"
    with pytest.raises(UsageError, match="no node 'nobody'"):
        demo.node("nobody")


def test_a_command_that_fails_is_an_error_unless_that_is_not_wanted(
    demo: Cluster, world: FakeWorld
) -> None:
    failed = ShellResult(exit_status=3, stdout="", stderr="no such unit")
    world.shell.programs.append(lambda _, command: failed if command == "bad" else None)
    assert demo.run("bad", check=False) == failed
    with pytest.raises(BootstrapError, match="ended with 3: bad") as caught:
        demo.run("bad")
    assert caught.value.details == "no such unit"


def test_a_node_that_does_not_answer_is_an_error(demo: Cluster, world: FakeWorld) -> None:
    def lost(*_: object) -> None:
        raise NotYet("connection refused")

    world.shell.programs.append(lost)
    with pytest.raises(BootstrapError, match="'worker' of cluster 'demo' does not answer"):
        demo.node("worker").run("true")


def test_images_are_loaded_and_unloaded(demo: Cluster, world: FakeWorld) -> None:
    world.archives.sources["app.tar"] = (an_image_named("registry.example/app:1"),)
    assert [image.name for image in demo.load_image("app.tar").images] == ["registry.example/app:1"]
    assert [one.nodes for one in demo.loaded_images()] == [("control-plane", "worker")]
    assert demo.unload_image("registry.example/app:1") == ["registry.example/app:1"]


@pytest.mark.runs_programs
def test_kubectl_runs_with_the_kubeconfig_and_input(demo: Cluster) -> None:
    write_kubectl("v1.37.2", '#!/bin/sh\necho "$KUBECONFIG" "$@"; cat; exit ${1#exit}\n')
    done = demo.kubectl("0", "get", "a b", stdin="text")
    assert done.stdout == "/state/demo/kubeconfig 0 get a b\ntext"
    with pytest.raises(BootstrapError, match="ended with 4: kubectl exit4"):
        demo.kubectl("exit4")
    assert demo.kubectl("exit4", check=False).exit_status == 4


def test_without_a_kubectl_the_host_is_not_fit(demo: Cluster) -> None:
    with pytest.raises(HostError, match="No kubectl"):
        demo.kubectl("get", "nodes")


def test_a_sick_cluster_is_an_error_with_the_evidence_in_the_traceback(
    demo: Cluster, world: FakeWorld
) -> None:
    world.api.sick_checks.add("dns")
    assert [check.name for check in demo.verify(check=False).failed] == ["dns"]
    with pytest.raises(VerifyError) as caught:
        demo.verify()
    text = "".join(traceback.format_exception(caught.value))
    assert "FAILED dns" in text
    assert "hint: bootstrap logs demo" in text


def test_a_cluster_that_was_only_named_was_not_verified(client: Client) -> None:
    with pytest.raises(UsageError, match="only named"):
        _ = Cluster("demo", client).verified


def test_all_clusters_at_once(client: Client, world: FakeWorld) -> None:
    for name in ("a", "b"):
        Cluster.up(name, client=client).stop()
    started, failures = client.start_all()
    assert (set(started), failures.errors) == ({"a", "b"}, [])
    with pytest.raises(UsageError, match="Name a cluster"):
        client.only_cluster()
    world.journal.failures["volumes.remove_cluster a"] = BootstrapError("Could not.")
    removed, failures = client.down_all()
    assert (set(removed), len(failures.errors)) == ({"b"}, 1)


def test_nothing_is_printed(client: Client, capfd: pytest.CaptureFixture[str]) -> None:
    Cluster.up("demo", client=client).down()
    assert capfd.readouterr() == ("", "")


@pytest.mark.runs_programs
def test_the_package_alone_loads_nothing() -> None:
    code = (
        "import bootstrap, sys\n"
        "print(sorted(name for name in sys.modules if name.startswith('bootstrap')))\n"
        "print('pydantic' in sys.modules)\n"
        "bootstrap.Cluster\n"
        "print({'libvirt', 'ansible_runner', 'paramiko'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['bootstrap']\nFalse\nset()\n"


def test_a_name_that_the_package_has_not_is_an_attribute_error() -> None:
    with pytest.raises(ImportError, match="cannot import name 'Clutter'"):
        exec("from bootstrap import Clutter")  # noqa: S102 - as a caller writes it
