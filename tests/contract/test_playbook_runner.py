"""The PlaybookRunner port with real Ansible on tiny playbooks of the local connection.

The cluster's own playbook needs nodes; everything else of the adapter is as `up` uses it.
"""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from bootstrap.adapters.ansible.runner import AnsiblePlaybookRunner
from bootstrap.adapters.trust.store import TrustStore
from bootstrap.errors import BootstrapError, TimedOutError
from bootstrap.model.plan import Acceleration, ClusterPlan
from bootstrap.planning.inventory import inventory, known_hosts, ssh_config
from bootstrap.ports import PlaybookResult
from tests.builders import a_cluster_spec, a_plan
from tests.contract.test_shell import parsed
from tests.fakes.events import FakeEvents
from tests.fakes.ssh_server import ssh_server
from tests.processes import until

CANARY = "canary-3f9d2c"
CONTROL_PLANE, WORKER, WORKER2 = "control-plane", "worker", "worker2"
FINISH = {"name": "Finish", "ansible.builtin.debug": {"msg": "done"}}
NO_SERVER = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}

Task = dict[str, object]


class Site:
    """A plan whose inventory leads to this machine, and a playbook that a test writes."""

    def __init__(self, directory: Path) -> None:
        # A space, as in a user's own BOOTSTRAP_HOME.
        self.plan: ClusterPlan = a_plan(
            a_cluster_spec(workers=2),
            acceleration=Acceleration.KVM,
            state=directory / "my state",
        )
        self.state = self.plan.state_directory
        (self.state / "ssh").mkdir(parents=True)
        (self.state / "ssh" / "config").write_text("Host *\n  BatchMode yes\n")
        self.playbooks = directory / "playbooks"
        self.playbooks.mkdir()
        self.events = FakeEvents()
        self.runner = AnsiblePlaybookRunner(self.events, playbooks=self.playbooks)
        self.reach()

    def reach(self, host: Mapping[str, object] = {}, *, missing: tuple[str, ...] = ()) -> None:
        """Write the inventory; ``host`` is how all but the control plane are reached."""
        document: dict[str, dict[str, dict[str, object]]]
        document = inventory(self.plan)  # type: ignore[assignment]
        document["all"]["vars"] |= {"ansible_connection": "local"}
        document["all"]["vars"]["ansible_remote_tmp"] = str(self.state / "modules")
        document["all"]["vars"]["ansible_python_interpreter"] = "{{ ansible_playbook_python }}"
        workers = {} if WORKER in missing else {WORKER: host}
        document["all"]["children"]["workers"] = {"hosts": workers | {WORKER2: host}}
        (self.state / "inventory.yml").write_text(yaml.safe_dump(document))

    def play(self, *tasks: Task, secrets: dict[str, object] | None = None) -> PlaybookResult:
        """Run a playbook of these tasks on all nodes of the plan."""
        head = {"name": "Test", "hosts": "all", "strategy": "free", "gather_facts": False}
        playbook = [{**head, "tasks": [*tasks, FINISH]}]
        (self.playbooks / "cluster.yml").write_text(yaml.safe_dump(playbook))
        return self.runner.run(self.plan, self.plan.nodes, secrets=secrets or {})

    @property
    def log(self) -> str:
        return (self.state / "logs" / "ansible.log").read_text()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture(autouse=True)
def _short_sockets(short_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give ssh's sockets a place like a user's /run/user."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_directory))


@pytest.fixture(autouse=True)
def _hostile_setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A-07: an Ansible set-up with which no playbook would run, in all places."""
    text = "[defaults]\nstrategy = nonsense\nstdout_callback = nonsense\n"
    for place in (Path.home() / ".ansible.cfg", tmp_path / "ansible.cfg", tmp_path / "own.cfg"):
        place.write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANSIBLE_CONFIG", str(tmp_path / "own.cfg"))
    monkeypatch.setenv("ANSIBLE_STRATEGY", "nonsense")
    monkeypatch.setenv("ANSIBLE_STDOUT_CALLBACK", "nonsense")
    monkeypatch.setenv("ANSIBLE_HOST_PATTERN_MISMATCH", "nonsense")
    monkeypatch.setenv("PYTHONPATH", "/nonsense")


def shell(name: str, command: str, **more: object) -> Task:
    return {"name": name, "ansible.builtin.shell": command, "changed_when": False, **more}


def test_changes_are_counted_for_each_node(site: Site) -> None:
    """A-04."""
    change: Task = shell("Change one", "true", changed_when=True)
    change["when"] = f"inventory_hostname == '{WORKER}'"
    result = site.play(change, shell("Change nothing", "true"))
    assert result.changed == {CONTROL_PLANE: 0, WORKER: 1, WORKER2: 0}
    assert result.finished == {CONTROL_PLANE, WORKER, WORKER2}
    assert (WORKER, "Change one") in site.events.nodes
    assert f"{WORKER}: Change one: changed" in site.log.splitlines()
    assert f"{WORKER2}: Finish: ok" in site.log.splitlines()


def test_a_secret_is_used_and_found_nowhere(site: Site, tmp_path: Path) -> None:
    """H-16, SEC-06, G-25: not in argv, environment, log or any file but the private one."""
    (tmp_path / "pattern").write_text(CANARY)
    used, files, seen = tmp_path / "used", tmp_path / "files", tmp_path / "seen"
    use: Task = {
        "name": "Use the secret",
        "ansible.builtin.copy": {"content": "{{ join[inventory_hostname] }}", "dest": str(used)},
        "no_log": True,
        "when": f"inventory_hostname == '{WORKER}'",
    }
    pattern = f"-f '{tmp_path}/pattern'"
    look = [
        shell("Look at files", f"grep -rl {pattern} '{site.state}' > '{files}'; true"),
        shell("Look at processes", f"cat /proc/[0-9]*/cmdline 2>&1 | grep -a {pattern} > '{seen}'"),
        shell("Look around", f"cat /proc/[0-9]*/environ 2>&1 | grep -a {pattern} >> '{seen}'"),
    ]
    for task in look:
        task |= {"failed_when": False, "run_once": True}
    site.play(use, *look, secrets={"join": {WORKER: CANARY}})
    assert used.read_text() == CANARY
    assert files.read_text().split("\n")[:-1] == [str(site.state / "ansible" / "secrets.json")]
    assert seen.read_text() == ""
    assert not (site.state / "ansible").exists()
    assert CANARY not in site.log


def test_a_secret_is_data_and_never_a_template(site: Site, tmp_path: Path) -> None:
    """A-08, SEC-13."""
    hostile = "{{ lookup('pipe', 'touch pwned') }}"
    copy = {"content": "{{ join }}", "dest": str(tmp_path / "used")}
    task: Task = {"name": "Use", "ansible.builtin.copy": copy, "run_once": True}
    site.play(task, secrets={"join": hostile})
    assert (tmp_path / "used").read_text() == hostile
    assert not list(tmp_path.rglob("pwned"))


def test_the_private_directory_is_private_while_it_lasts(site: Site, tmp_path: Path) -> None:
    """H-15; what a killed run left in it is gone."""
    old = site.state / "ansible"
    old.mkdir(mode=0o700)
    (old / "left").write_text(CANARY)
    look = f"stat -c %a '{old}' '{old}/secrets.json' > '{tmp_path}/modes'; ls '{old}/left'"
    umask = os.umask(0)
    try:
        site.play(shell("Look", look, failed_when=False, run_once=True))
    finally:
        os.umask(umask)
    assert (tmp_path / "modes").read_text().split() == ["700", "600"]


def test_a_failed_node_is_named_with_task_and_evidence(site: Site) -> None:
    """A-02, A-05: the others go on."""
    when = f"inventory_hostname == '{WORKER}'"
    fail = shell("Break", "echo to-stdout; echo to-stderr >&2; exit 7", when=when)
    with pytest.raises(BootstrapError, match="failed on 1 of 3 nodes") as caught:
        site.play(fail)
    details = caught.value.details
    assert details.startswith(f"{WORKER}: Break\n")
    assert "to-stdout" in details
    assert "to-stderr" in details
    assert caught.value.hint == "bootstrap logs demo"
    assert f"{WORKER2}: Finish: ok" in site.log.splitlines()


def test_an_unreachable_node_is_named(site: Site) -> None:
    site.reach(NO_SERVER)
    with pytest.raises(BootstrapError, match="failed on 2 of 3 nodes") as caught:
        site.play(shell("Try", "true"))
    assert f"{WORKER}: Try: unreachable" in caught.value.details
    assert "refused" in caught.value.details


def test_a_node_that_the_inventory_lacks_is_a_failure(site: Site) -> None:
    """A-02: Ansible itself would only warn and exit with 0."""
    site.reach(missing=(WORKER,))
    with pytest.raises(BootstrapError, match="failed on 1 of 3 nodes") as caught:
        site.play(shell("Try", "true"))
    assert caught.value.details == f"{WORKER}: ran no task"


def test_a_playbook_that_cannot_be_read_fails_on_all_nodes(site: Site) -> None:
    with pytest.raises(BootstrapError, match="failed on 3 of 3 nodes") as caught:
        site.play({"name": "No such module", "no.such.module": {}})
    assert "no.such.module" in caught.value.details


def test_a_playbook_without_end_is_timed_out(site: Site) -> None:
    """A-01, R-09: the guard of every test looks for processes that are left."""
    site.runner = AnsiblePlaybookRunner(site.events, playbooks=site.playbooks, timeout_s=4)
    with pytest.raises(TimedOutError) as caught:
        site.play(shell("Sleep", "sleep 60"))
    assert caught.value.hint == "bootstrap logs demo"
    assert not (site.state / "ansible").exists()


def test_sockets_of_ssh_have_short_names(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """S-05: whatever the state directory is called."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    look = f"stat -c '%a %n' '{tmp_path}'/bs-* > '{tmp_path}/seen'"
    site.play(shell("Look", look, run_once=True))
    mode, path = (tmp_path / "seen").read_text().split()
    assert mode == "700"
    # ssh adds a hash of 40 characters and a suffix of 17.
    assert len(str(Path(path).relative_to(tmp_path))) + 40 + 17 < 80
    assert not Path(path).exists()


def test_a_node_with_another_host_key_gets_no_command(site: Site) -> None:
    """SEC-02: ansible-runner by itself has ssh accept any host key."""
    trust = TrustStore(site.state / "trust")
    own, expected = trust.ensure_client_key(), trust.ensure_host_key(WORKER)
    known = {node.name: expected.public_line for node in site.plan.nodes}
    (site.plan.state_directory / "ssh" / "known_hosts").write_text(known_hosts(known))
    with ssh_server(parsed(trust.ensure_host_key("other")), own.public_line) as server:
        nodes = tuple(replace(node, ssh_port=server.port) for node in site.plan.nodes)
        here = replace(site.plan, nodes=nodes)
        config = ssh_config(here, client_key=trust.client_key_file)
        (site.plan.state_directory / "ssh" / "config").write_text(config)
        site.reach({"ansible_connection": "ssh"})
        with pytest.raises(BootstrapError, match="failed on 2 of 3 nodes") as caught:
            site.play(shell("Try", "true"))
    assert "Host key verification failed" in caught.value.details
    assert (server.users, server.commands) == ([], [])


def test_threads_may_run_playbooks_and_this_process_keeps_its_environment(tmp_path: Path) -> None:
    before = dict(os.environ)
    sites = [Site(tmp_path / name) for name in ("one", "two")]
    # Each waits until both have begun.
    wait = f"touch '{tmp_path}/'$$.begun; while [ ! -e '{tmp_path}/go' ]; do sleep 0.1; done"
    with ThreadPoolExecutor() as threads:
        running = [threads.submit(site.play, shell("Wait", wait)) for site in sites]
        until(lambda: len(list(tmp_path.glob("*.begun"))) == 6)
        during = dict(os.environ)
        (tmp_path / "go").touch()
        results = [future.result() for future in running]
    assert during == before == dict(os.environ)
    assert [result.finished for result in results] == [{CONTROL_PLANE, WORKER, WORKER2}] * 2
