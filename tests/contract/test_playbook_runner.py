"""The PlaybookRunner port with real Ansible on tiny playbooks of the local connection.

The cluster's own playbook needs nodes; everything else of the adapter is as `up` uses it.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from bootstrap.adapters.ansible import runner as runner_module
from bootstrap.adapters.ansible.inventory import inventory
from bootstrap.adapters.ansible.runner import AnsiblePlaybookRunner
from bootstrap.errors import BootstrapError, TimedOutError
from bootstrap.model.plan import Acceleration, ClusterPlan
from bootstrap.ports import PlaybookResult
from tests.builders import a_cluster_spec, a_plan
from tests.fakes.progress import FakeProgress

CANARY = "canary-3f9d2c"
CONTROL_PLANE, WORKER, WORKER2 = "demo-control-plane", "demo-worker", "demo-worker2"
FINISH = {"name": "Finish", "ansible.builtin.debug": {"msg": "done"}}
NOBODY_LISTENS = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}

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
        self.progress = FakeProgress()
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
        adapter = AnsiblePlaybookRunner(self.progress)
        return adapter.run(self.plan, self.plan.nodes, secrets=secrets or {})

    @property
    def log(self) -> str:
        return (self.state / "logs" / "ansible.log").read_text()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    made = Site(tmp_path)
    monkeypatch.setattr(runner_module, "resource_directory", lambda _kind: made.playbooks)
    return made


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


def test_what_changed_is_counted_node_by_node(site: Site) -> None:
    """A-04."""
    change: Task = shell("Change one", "true", changed_when=True)
    change["when"] = f"inventory_hostname == '{WORKER}'"
    result = site.play(change, shell("Change nothing", "true"))
    assert result.changed == {CONTROL_PLANE: 0, WORKER: 1, WORKER2: 0}
    assert result.finished == {CONTROL_PLANE, WORKER, WORKER2}
    assert (WORKER, "Change one") in site.progress.nodes
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
    site.reach(NOBODY_LISTENS)
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
    with pytest.raises(BootstrapError, match="failed on 3 of 3 nodes"):
        site.play({"name": "No such module", "no.such.module": {}})


def test_a_playbook_without_end_is_timed_out(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A-01, R-09: the guard of every test looks for processes that are left."""
    monkeypatch.setattr(runner_module, "_TIMEOUT_S", 4)
    with pytest.raises(TimedOutError) as caught:
        site.play(shell("Sleep", "sleep 60"))
    assert caught.value.hint == "bootstrap logs demo"
    assert not (site.state / "ansible").exists()


def test_sockets_of_ssh_have_short_names(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """S-05: whatever the state directory is called."""
    paths: list[Path] = []
    original: Callable[..., int | None] = runner_module._play  # noqa: SLF001 - what it is given

    def spy(*args: object, control_path: Path, **more: object) -> int | None:
        paths.append(control_path)
        assert control_path.stat().st_mode & 0o777 == 0o700
        return original(*args, control_path=control_path, **more)

    monkeypatch.setattr(runner_module, "_play", spy)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    site.play()
    # ssh adds a hash of 40 characters and a suffix of 17.
    assert len(str(paths[0].relative_to(tmp_path))) + 40 + 17 < 80
    assert not paths[0].exists()
