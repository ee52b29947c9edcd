"""Real clusters: the command as a user runs it, and the world before and after."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import libvirt
import psutil
import pytest

from bootstrap.adapters.directories import Directories, find_directories
from bootstrap.planning.ports import FIRST_PORT, LAST_PORT
from tests.processes import until

BOOTSTRAP = [str(Path(sys.executable).with_name("bootstrap"))]
#: What a cluster may leave behind; docs/files.md says why.
ALLOWED = ("install-id", ".locks")
#: What a run starts on this host, by the kernel's names: an interpreter is a script's first
#: word, and a shared SSH connection writes over all of its own.
GUESTS, HELPERS = r"qemu-system.*", r"ansible.*|ssh"
#: As whom the system's libvirt runs guests, in Debian and elsewhere.
GUEST_USERS = ("libvirt-qemu", "qemu")


@dataclass(frozen=True)
class Outcome:
    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class User:
    """A user with a kubeconfig of its own; caches are the real ones."""

    kubeconfig: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str) -> Outcome:
        done = subprocess.run(
            [*BOOTSTRAP, *words], env=self.environment, capture_output=True, text=True, check=False
        )
        said = f"$ bootstrap {' '.join(words)} -> {done.returncode}\n{done.stdout}{done.stderr}"
        sys.stdout.write(said)
        return Outcome(done.returncode, done.stdout, done.stderr)

    def killed(self, *words: str, at: str, delay_s: float) -> None:
        """Run the command and SIGKILL it ``delay_s`` seconds after it said ``at``.

        Whatever it had started but the guests is gone then, too (R-05, R-09, A-10).
        """
        before = _programs(HELPERS)
        with subprocess.Popen(
            [*BOOTSTRAP, *words],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            said = next((line for line in process.stderr if at in line), None)
            assert said is not None, f"it ended with {process.wait()} before it said '{at}'"
            with contextlib.suppress(subprocess.TimeoutExpired):
                pytest.fail(f"it ended with {process.wait(delay_s)} before it was killed")
            process.kill()
        until(lambda: _programs(HELPERS) == before)

    def succeed(self, *words: str) -> str:
        outcome = self.run(*words)
        assert outcome.exit_code == 0, outcome.stderr
        return outcome.stdout


@pytest.fixture(autouse=True)
def _own_home() -> None:
    """Leave the user's real home in place: its caches hold the artefacts and the image."""


@pytest.fixture(scope="session")
def directories() -> Directories:
    return find_directories()


@pytest.fixture(scope="session")
def uri() -> str:
    return "qemu:///system" if os.getuid() == 0 else "qemu:///session"


@pytest.fixture(scope="session")
def user(tmp_path_factory: pytest.TempPathFactory) -> User:
    kubeconfig = tmp_path_factory.mktemp("user") / "config"
    return User(kubeconfig, {**os.environ, "KUBECONFIG": str(kubeconfig)})


@pytest.fixture(scope="session")
def inventory(directories: Directories, uri: str, user: User) -> Callable[[], dict[str, object]]:
    """Everything on this host that a cluster could leave behind."""

    def take() -> dict[str, object]:
        connection = libvirt.open(uri)
        domains = {domain.name(): domain.XMLDesc() for domain in connection.listAllDomains()}
        networks = sorted(network.name() for network in connection.listAllNetworks())
        pools = sorted(pool.name() for pool in connection.listAllStoragePools())
        connection.close()
        files = [
            str(path)
            for root in (directories.state, directories.volumes)
            for path in sorted(root.rglob("*"))
            if not set(ALLOWED) & set(path.relative_to(root).parts)
        ]
        return {
            "domains": domains,
            "networks": networks,
            "pools": pools,
            "files": files,
            "logs": _domain_logs(),
            "ansible": sorted(map(str, (Path.home() / ".ansible").rglob("*"))),
            "processes": _programs(f"{GUESTS}|{HELPERS}"),
            "ports": _ports(),
            "kubeconfig": user.kubeconfig.read_text() if user.kubeconfig.exists() else "",
        }

    return take


def _domain_logs() -> list[str]:
    places = [Path("/var/log/libvirt/qemu"), Path.home() / ".cache/libvirt/qemu/log"]
    return sorted(str(log) for place in places if place.is_dir() for log in place.glob("*.log*"))


def _ports() -> list[int]:
    """Sockets that listen or are bound in the range that ports are chosen from."""
    bound = {socket.laddr.port for socket in psutil.net_connections("inet") if socket.laddr}
    return sorted(bound & set(range(FIRST_PORT, LAST_PORT + 1)))


def _programs(names: str) -> list[list[str]]:
    # Other users' may come and go; root's guests have a user of their own.
    users = {psutil.Process().username(), *(GUEST_USERS if os.getuid() == 0 else ())}
    return sorted(
        process.info["cmdline"] or []
        for process in psutil.process_iter(["name", "username", "cmdline"])
        if process.info["username"] in users and re.fullmatch(names, process.info["name"])
    )


@pytest.fixture(scope="session")
def try_kubectl(
    directories: Directories, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Outcome]:
    """The kubectl that was built, which is the multi-call binary under that name."""
    built = sorted(directories.cache.glob("artifacts/*/kube"))
    assert built, "the artefacts are built by `up`, which runs first"
    program = tmp_path_factory.mktemp("bin") / "kubectl"
    program.symlink_to(built[-1])

    def run(kubeconfig: Path, *words: str, stdin: str | None = None) -> Outcome:
        done = subprocess.run(
            [program, "--kubeconfig", kubeconfig, *words],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def kubectl(try_kubectl: Callable[..., Outcome]) -> Callable[..., str]:
    """kubectl where nothing but success will do."""

    def run(kubeconfig: Path, *words: str, stdin: str | None = None) -> str:
        outcome = try_kubectl(kubeconfig, *words, stdin=stdin)
        assert outcome.exit_code == 0, outcome.stderr
        return outcome.stdout

    return run


@pytest.fixture(scope="module")
def cluster(user: User) -> Iterator[str]:
    """A cluster's name that nobody has; whatever happens, the cluster is removed."""
    name = f"e2e-{os.getpid()}"
    yield name
    if json.loads(user.succeed("list", "-o", "json")):
        keep = os.environ.get("BOOTSTRAP_E2E_EVIDENCE")
        if keep:
            place = Path(user.succeed("logs", name).strip())
            shutil.copytree(place, Path(keep) / name, dirs_exist_ok=True)
        user.run("down", name)
