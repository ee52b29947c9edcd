"""A hostile environment changes nothing of what the adapters do (A-07, S-03, S-07, SEC-13)."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.fakes.api_server import FakeApiServer, Illness

PROBE = Path(__file__).with_name("probe.py")
ROOT = Path(__file__).parents[3]
#: What a task on a node may see of this host's environment.
HARMLESS = {"HOME", "PATH", "TMPDIR", "USER", "LOGNAME", "TZ", "VIRTUAL_ENV"}


@dataclass(kw_only=True)
class Surroundings:
    """What a child starts with."""

    base: Path
    home: Path
    cwd: Path
    env: dict[str, str]
    umask: int = 0o022
    without: set[str] = field(default_factory=set)

    @property
    def marker(self) -> Path:
        """A file that appears if anything hostile is run."""
        return self.base / "pwned"

    def evil(self, name: str, text: str) -> Path:
        path = self.base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return path

    def touching(self) -> str:
        return f"#!/bin/sh\necho \"$0 $*\" >> '{self.marker}'\n"


def surroundings(base: Path) -> Surroundings:
    home, cwd = base / "home", base / "cwd"
    for place in (home, cwd):
        place.mkdir()
    return Surroundings(
        base=base,
        home=home,
        cwd=cwd,
        env={
            "HOME": str(home),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
        },
    )


def probed(around: Surroundings) -> tuple[dict[str, object], set[str]]:
    """Run the probe; gives what it said, and what of the environment a task saw."""
    directory = around.base / "probe"
    directory.mkdir()
    env = {name: value for name, value in around.env.items() if name not in around.without}
    done = subprocess.run(
        [sys.executable, str(PROBE), str(directory)],
        cwd=around.cwd,
        env=env,
        umask=around.umask,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    seen = (directory / "environment").read_text().splitlines()
    return json.loads(done.stdout.splitlines()[-1]), set(seen)


def _ssh_config(it: Surroundings) -> None:
    evil = it.evil("proxy", it.touching() + "exit 1\n")
    text = f"Host *\n  ProxyCommand {evil}\n  IdentityFile {it.home}/.ssh/id\n  User evil\n"
    (it.home / ".ssh").mkdir()
    (it.home / ".ssh" / "config").write_text(text + "  StrictHostKeyChecking no\n")
    (it.home / ".ssh" / "id_ed25519").write_text("nonsense")


def _agent(it: Surroundings) -> None:
    it.env |= {"SSH_AUTH_SOCK": "{agent}", "SSH_AGENT_PID": "1"}
    it.env |= {"SSH_ASKPASS": str(it.evil("ask", it.touching())), "SSH_ASKPASS_REQUIRE": "force"}


def _ansible_files(it: Surroundings) -> None:
    plugins = it.evil("plugins/evil.py", f"open({str(it.marker)!r}, 'w').close()\n").parent
    text = (
        "[defaults]\nstrategy = nonsense\nstdout_callback = evil\n"
        f"callback_plugins = {plugins}\ncallbacks_enabled = evil\nlibrary = {plugins}\n"
        "vault_password_file = /nonexistent\nforks = 0\nremote_user = evil\n"
    )
    for place in (it.home / ".ansible.cfg", it.cwd / "ansible.cfg"):
        place.write_text(text)


def _ansible_home(it: Surroundings) -> None:
    """Plugins in places that Ansible looks through without being told."""
    evil = f"open({str(it.marker)!r}, 'w').close()\n"
    for kind in ("modules", "action", "callback", "filter", "lookup", "connection", "vars"):
        for name in ("debug", "shell", "command", "default", "minimal", "host_group_vars", "upper"):
            it.evil(f"home/.ansible/plugins/{kind}/{name}.py", evil)


def _ansible_variables(it: Surroundings) -> None:
    plugins = it.evil("plugins/evil.py", f"open({str(it.marker)!r}, 'w').close()\n").parent
    it.env |= {
        "ANSIBLE_CONFIG": str(it.base / "nonexistent.cfg"),
        "ANSIBLE_STRATEGY": "nonsense",
        "ANSIBLE_STRATEGY_PLUGINS": str(plugins),
        "ANSIBLE_STDOUT_CALLBACK": "evil",
        "ANSIBLE_CALLBACK_PLUGINS": str(plugins),
        "ANSIBLE_CALLBACKS_ENABLED": "evil",
        "ANSIBLE_LIBRARY": str(plugins),
        "ANSIBLE_ACTION_PLUGINS": str(plugins),
        "ANSIBLE_VAULT_PASSWORD_FILE": "/nonexistent",
        "ANSIBLE_HOME": str(plugins),
        "ANSIBLE_INVENTORY": "/nonexistent",
        "ANSIBLE_CHECK_MODE_MARKERS": "nonsense",
        "ANSIBLE_REMOTE_TEMP": "/nonexistent/x",
        "ANSIBLE_LOCAL_TEMP": "/nonexistent/y",
        "ANSIBLE_RUN_TAGS": "nothing",
        "ANSIBLE_SKIP_TAGS": "all",
        "RUNNER_ONLY_FAILED_EVENTS": "1",
        "AWX_ISOLATED_DATA_DIR": "/nonexistent",
    }


def _proxies(it: Surroundings) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        # The proxy of the test; it must not be asked.
        it.env |= {name: "{proxy}", name.upper(): "{proxy}"}


def _kubeconfig(it: Surroundings) -> None:
    it.env["KUBECONFIG"] = f"/nonexistent::{it.base}:/dev/null:relative"
    (it.home / ".kube").mkdir()
    (it.home / ".kube" / "config").write_text("not: [a, kubeconfig")


def _python(it: Surroundings) -> None:
    """Every Python that starts with them says so; only the probe itself may."""
    note = f"import sys\nopen({str(it.marker)!r}, 'a').write(str(sys.argv) + '\\n')\n"
    code = f"import sys\nif not sys.orig_argv[1].endswith('probe.py'):\n    {note!r}\n"
    code = code.replace(f"    {note!r}\n", "".join(f"    {line}\n" for line in note.splitlines()))
    it.evil("python/sitecustomize.py", code)
    startup = it.evil("startup.py", note)
    it.env["PYTHONPATH"] = f"{it.base / 'python'}:{ROOT}"
    it.env |= {"PYTHONSTARTUP": str(startup), "PYTHONINSPECT": "", "PYTHONWARNINGS": "ignore"}


def _path(it: Surroundings) -> None:
    """Programs in the directory where the user happens to be."""
    for name in ("ansible-playbook", "ssh", "python3", "python", "sudo", "locale"):
        it.evil(f"cwd/{name}", it.touching())
    it.env["PATH"] = f"{it.env['PATH']}:."


def _xdg_relative(it: Surroundings) -> None:
    it.env |= {f"XDG_{name}_HOME": "relative" for name in ("STATE", "CACHE", "DATA", "CONFIG")}


def _xdg_writable(it: Surroundings) -> None:
    open_to_all = it.base / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    names = ("STATE", "CACHE", "DATA", "CONFIG")
    it.env |= {f"XDG_{name}_HOME": str(open_to_all) for name in names}
    it.env["XDG_RUNTIME_DIR"] = str(open_to_all)


def _given_away(it: Surroundings) -> None:
    it.home.chmod(0o777)
    if os.getuid() == 0:
        os.chown(it.home, 12345, 12345)


def _set(**variables: str) -> Callable[[Surroundings], None]:
    return lambda it: it.env.update(variables)


def _umask(umask: int) -> Callable[[Surroundings], None]:
    return lambda it: setattr(it, "umask", umask)


def _without(*names: str) -> Callable[[Surroundings], None]:
    return lambda it: it.without.update(names)


HOSTILE: Mapping[str, Callable[[Surroundings], None]] = {
    "S-07 ssh config": _ssh_config,
    "S-03 ssh agent": _agent,
    "A-07 ansible.cfg": _ansible_files,
    "A-07 plugins in the home": _ansible_home,
    "A-07 ANSIBLE_ variables": _ansible_variables,
    "P-15 proxies": _proxies,
    "V-05 KUBECONFIG": _kubeconfig,
    "Python's variables": _python,
    "PATH with .": _path,
    "umask 000": _umask(0o000),
    "umask 077": _umask(0o077),
    "Turkish": _set(LANG="tr_TR.UTF-8", LC_ALL="tr_TR.UTF-8", LANGUAGE="tr"),
    "locale C": _set(LANG="C", LC_ALL="C"),
    "locale that does not exist": _set(LANG="xx_YY", LC_ALL="xx_YY.ISO-8859-15"),
    "no locale": _without("LANG"),
    "time zone": _set(TZ="Pacific/Kiritimati"),
    "time zone of nonsense": _set(TZ="../../nonsense"),
    "libvirt's address": _set(LIBVIRT_DEFAULT_URI="qemu+ssh://nobody@127.0.0.1:9/system"),
    "XDG relative": _xdg_relative,
    "XDG open to all": _xdg_writable,
    "XDG_RUNTIME_DIR missing": _set(XDG_RUNTIME_DIR="/nonexistent"),
    "XDG_RUNTIME_DIR relative": _set(XDG_RUNTIME_DIR="relative"),
    "TMPDIR missing": _set(TMPDIR="/nonexistent"),
    "TERM of nonsense": _set(TERM="nonsense", COLUMNS="-1", LINES="x", PAGER="false"),
    "BASH_ENV and friends": _set(BASH_ENV="/nonexistent", ENV="/nonexistent", IFS="e", CDPATH="/"),
    "no HOME": _without("HOME"),
    "HOME missing": _set(HOME="/nonexistent"),
    "P-14 HOME of another user": _given_away,
}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What the probe says where nothing is hostile."""
    return probed(surroundings(tmp_path_factory.mktemp("clean")))[0]


@pytest.fixture
def proxy() -> Iterator[FakeApiServer]:
    with FakeApiServer(ill=Illness(page=403), speaks_tls=False).running() as running:
        yield running


@pytest.fixture
def agent() -> Iterator[socket.socket]:
    """Run an SSH agent that no program may call."""
    with tempfile.TemporaryDirectory() as directory, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{directory}/agent")
        listener.listen()
        listener.settimeout(0)
        yield listener


def test_the_clean_run_is_what_it_should_be(clean: dict[str, object]) -> None:
    """H-13, H-15, S-10, SEC-03, SEC-29: among others, all that is private is private."""
    played, verified = clean["played"], clean["verified"]
    assert isinstance(played, dict)
    assert played["finished"] == ["control-plane"]
    assert isinstance(verified, list)
    assert all(ok for _, ok in verified)
    assert isinstance(clean["modes"], list)
    assert {mode for _, mode in clean["modes"]} <= {"0o700", "0o600", "0o644"}
    private = [mode for path, mode in clean["modes"] if path.endswith(("kubeconfig", ".log"))]
    assert private
    assert set(private) == {"0o600"}
    assert clean["absolute"]


@pytest.mark.parametrize("name", list(HOSTILE))
def test_a_hostile_environment_changes_nothing(
    name: str,
    clean: dict[str, object],
    proxy: FakeApiServer,
    agent: socket.socket,
    tmp_path: Path,
) -> None:
    """A-07, A-08, H-13, P-15, S-03, S-07, S-10, V-05, SEC-02, SEC-13, SEC-29."""
    around = surroundings(tmp_path)
    HOSTILE[name](around)
    around.env = {
        key: value.replace("{proxy}", f"http://127.0.0.1:{proxy.port}").replace(
            "{agent}", agent.getsockname()
        )
        for key, value in around.env.items()
    }
    told, seen = probed(around)
    assert told == clean
    assert proxy.requests == []
    with pytest.raises(BlockingIOError):
        agent.accept()
    with contextlib.suppress(FileNotFoundError):
        pytest.fail(around.marker.read_text())
    harmful = {f"{key}={value}" for key, value in around.env.items() if key not in HARMLESS}
    assert not harmful & seen


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give a directory away")
def test_a_state_directory_of_another_user_is_left_alone(tmp_path: Path) -> None:
    """P-14: run once with sudo, HOME kept; nothing in it is changed or made root's."""
    state = tmp_path / ".local" / "state" / "bootstrap"
    state.mkdir(parents=True, mode=0o700)
    for place in (tmp_path, *state.parents, state):
        if place.is_relative_to(tmp_path):
            os.chown(place, 12345, 12345)
    env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "SUDO_UID": "12345"}
    argv = [sys.executable, "-m", "bootstrap", "list", "--hypervisor", "test:///default"]
    done = subprocess.run(
        argv,
        env=env | {"PYTHONPATH": str(ROOT)},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert "belongs to the user who called sudo" in done.stderr
    assert "hint: " in done.stderr
    assert list(state.iterdir()) == []
