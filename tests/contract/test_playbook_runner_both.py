"""The PlaybookRunner port: the fake does what real Ansible on local connections does.

What only the real one can show is in ``test_playbook_runner.py``.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pytest
import yaml

from bootstrap.adapters.ansible.runner import AnsiblePlaybookRunner
from bootstrap.errors import BootstrapError
from bootstrap.model.plan import ClusterPlan, NodePlan
from bootstrap.planning.inventory import inventory
from bootstrap.ports import PlaybookResult, PlaybookRunner
from tests.builders import a_cluster_spec, a_mark, a_plan, an_image, ports_with_fakes
from tests.fakes.events import FakeEvents

CONTROL_PLANE, WORKER, WORKER2 = ALL = ("control-plane", "worker", "worker2")
NO_SERVER = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}


class Place(Protocol):
    """A plan of three nodes that can be reached, fake or real."""

    plan: ClusterPlan
    runner: PlaybookRunner

    def cut(self, *names: str) -> None:
        """Make these nodes, and no others, unreachable."""


class FakePlace:
    def __init__(self) -> None:
        self._world = ports_with_fakes()
        self.plan = a_plan(a_cluster_spec(workers=2))
        self.runner: PlaybookRunner = self._world.playbooks
        for node in self.plan.nodes:
            mark = a_mark(self.plan, node)
            hypervisor = self._world.hypervisor
            hypervisor.ensure_domain(node, mark=mark, image=an_image(), emulated=True)
            self._world.volumes.ensure_root_volume(node, image=an_image())
        self.cut()

    def cut(self, *names: str) -> None:
        for name in ALL:
            self._world.hypervisor.start_domain(f"demo-{name}")
        for name in names:
            self._world.hypervisor.power_off_domain(f"demo-{name}")


class RealPlace:
    def __init__(self, directory: Path) -> None:
        self.plan = a_plan(a_cluster_spec(workers=2), state=directory / "state")
        (self.plan.state_directory / "ssh").mkdir(parents=True)
        (self.plan.state_directory / "ssh" / "config").write_text("Host *\n  BatchMode yes\n")
        self.playbooks = directory / "playbooks"
        self.playbooks.mkdir()
        self.runner: PlaybookRunner = AnsiblePlaybookRunner(FakeEvents(), playbooks=self.playbooks)
        once = {"content": "kubeadm\n", "dest": f"{directory}/{{{{ inventory_hostname }}}}"}
        tasks = [
            {"name": "Do it once", "ansible.builtin.copy": {**once, "mode": "0600"}},
            {"name": "Finish", "ansible.builtin.debug": {"msg": "done"}},
        ]
        play = {"name": "Test", "hosts": "all", "strategy": "free", "gather_facts": False}
        (self.playbooks / "cluster.yml").write_text(yaml.safe_dump([{**play, "tasks": tasks}]))
        self.cut()

    def cut(self, *names: str) -> None:
        document = yaml.safe_load(yaml.safe_dump(inventory(self.plan)))
        document["all"]["vars"] |= {
            "ansible_connection": "local",
            "ansible_remote_tmp": str(self.plan.state_directory / "modules"),
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        }
        for group in document["all"]["children"].values():
            for name in group["hosts"]:
                group["hosts"][name] = dict(NO_SERVER) if name in names else {}
        (self.plan.state_directory / "inventory.yml").write_text(yaml.safe_dump(document))


@pytest.fixture(params=["fake", "ansible"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return FakePlace() if request.param == "fake" else RealPlace(tmp_path)


def run(place: Place, nodes: Sequence[NodePlan] | None = None) -> PlaybookResult:
    return place.runner.run(place.plan, nodes or place.plan.nodes, secrets={})


def failure(place: Place) -> BootstrapError:
    with pytest.raises(BootstrapError) as caught:
        run(place)
    assert caught.value.exit_code == 6
    assert caught.value.hint == "bootstrap logs demo"
    return caught.value


def test_the_second_run_changes_nothing_and_reports_all_nodes(place: Place) -> None:
    """A-04."""
    first = run(place)
    assert set(first.changed) == set(ALL) == first.finished
    assert all(first.changed.values())
    second = run(place)
    assert second.changed == dict.fromkeys(ALL, 0)
    assert second.finished == set(ALL)


def test_only_the_nodes_that_were_named_run_it(place: Place) -> None:
    result = run(place, place.plan.workers)
    assert set(result.changed) == {WORKER, WORKER2} == result.finished
    after = run(place)
    assert after.changed[CONTROL_PLANE] > 0
    assert (after.changed[WORKER], after.changed[WORKER2]) == (0, 0)


def test_a_node_out_of_reach_is_named_and_the_others_have_done_their_part(place: Place) -> None:
    """A-02, A-03."""
    place.cut(WORKER)
    error = failure(place)
    assert error.message == "The playbook failed on 1 of 3 nodes."
    assert error.details.startswith(f"{WORKER}: ")
    assert "unreachable" in error.details
    assert CONTROL_PLANE not in error.details
    place.cut()
    after = run(place)
    assert after.changed[WORKER] > 0
    assert (after.changed[CONTROL_PLANE], after.changed[WORKER2]) == (0, 0)


def test_every_node_that_failed_is_named(place: Place) -> None:
    place.cut(*ALL)
    error = failure(place)
    assert error.message == "The playbook failed on 3 of 3 nodes."
    lines = [line for line in error.details.splitlines() if "unreachable" in line]
    assert [line.partition(":")[0] for line in lines] == list(ALL)
