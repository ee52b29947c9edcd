"""Real clusters: the command as a user runs it, and the world before and after."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from bootstrap.adapters.directories import Directories
from bootstrap.planning.ports import FIRST_PORT, LAST_PORT
from tests.e2e.people import GUESTS, HELPERS, Outcome, User, ordinary_user, ran, the_tester

#: What a cluster may leave behind; docs/reference/files.md says why.
ALLOWED = ("install-id", ".locks")
#: Prints all domains as defined and as they are now, and the names of networks and pools.
LIBVIRT = """
import json, libvirt, sys
connection = libvirt.open(sys.argv[1])
inactive = libvirt.VIR_DOMAIN_XML_INACTIVE
domains = connection.listAllDomains()
print(json.dumps({
    "definitions": {domain.name(): domain.XMLDesc(inactive) for domain in domains},
    "domains": {domain.name(): domain.XMLDesc() for domain in domains},
    "networks": sorted(network.name() for network in connection.listAllNetworks()),
    "pools": sorted(pool.name() for pool in connection.listAllStoragePools()),
}))
"""


#: After this moment, in seconds since the epoch, no other tests begin but these two. CI names it,
#: which has an hour for everything: a slow host tries less instead of nothing.
_UNTIL = float(os.environ.get("E2E_UNTIL", "inf"))
_ALWAYS = ("test_the_next_up_makes_a_verified_cluster", "test_down_leaves_nothing")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if time.time() > _UNTIL and item.name not in _ALWAYS:
        pytest.skip("CI's time on this host is up (E2E_UNTIL)")


@pytest.fixture(autouse=True)
def _own_home() -> None:
    """Leave the user's real home in place: its caches hold the artefacts and the image."""


@pytest.fixture(scope="session")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """An ordinary user; the tester, unless that is root (BOOTSTRAP_E2E_AS=root: root too)."""
    if os.getuid() != 0 or os.environ.get("BOOTSTRAP_E2E_AS") == "root":
        yield the_tester(tmp_path_factory.mktemp("user"))
        return
    with ordinary_user() as person:
        yield person


@pytest.fixture(scope="session")
def directories(user: User) -> Directories:
    return user.directories


@pytest.fixture(scope="session")
def inventory(user: User) -> Callable[[], dict[str, object]]:
    """Everything on this host that a cluster could leave behind."""

    def take() -> dict[str, object]:
        found = user.other(user.python, "-c", LIBVIRT, user.hypervisor_uri)
        assert found.exit_code == 0, found.stderr
        places = (Path("/var/log/libvirt/qemu"), user.home / ".cache/libvirt/qemu/log")
        return {
            **json.loads(found.stdout),
            "files": _files(user.directories),
            "logs": sorted(str(log) for place in places for log in place.glob("*.log*")),
            "ansible": sorted(map(str, (user.home / ".ansible").rglob("*"))),
            "processes": user.programs(f"{GUESTS}|{HELPERS}"),
            "ports": _ports(),
            "kubeconfig": user.kubeconfig.read_text() if user.kubeconfig.exists() else "",
        }

    return take


def _files(directories: Directories) -> list[str]:
    return [
        str(path)
        for root in (directories.state, directories.volumes)
        for path in sorted(root.rglob("*"))
        if not set(ALLOWED) & set(path.relative_to(root).parts)
    ]


def _ports() -> list[int]:
    """Ports of the range to choose from that are listened at, or that a UDP socket has.

    A connection that has ended keeps its port for a minute, but nobody has to wait for it.
    """
    kept = (psutil.CONN_LISTEN, psutil.CONN_NONE)
    found = psutil.net_connections("inet")
    taken = {socket.laddr.port for socket in found if socket.laddr and socket.status in kept}
    return sorted(taken & set(range(FIRST_PORT, LAST_PORT + 1)))


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
        return ran([program, "--kubeconfig", kubeconfig, *words], stdin=stdin)

    return run


@pytest.fixture(scope="session")
def kubectl(try_kubectl: Callable[..., Outcome]) -> Callable[..., str]:

    def run(kubeconfig: Path, *words: str, stdin: str | None = None) -> str:
        outcome = try_kubectl(kubeconfig, *words, stdin=stdin)
        assert outcome.exit_code == 0, outcome.stderr
        return outcome.stdout

    return run


@pytest.fixture(scope="module")
def cluster(user: User) -> Iterator[str]:
    """A new name for a cluster, which is removed in any case."""
    name = f"e2e-{os.getpid()}"
    yield name
    if name in user.succeed("list", "-o", "name").split():
        keep = os.environ.get("BOOTSTRAP_E2E_EVIDENCE")
        if keep:
            place = Path(user.succeed("logs", name).strip())
            shutil.copytree(place, Path(keep) / name, dirs_exist_ok=True)
        user.run("down", name)


@pytest.fixture(scope="module")
def own(directories: Directories, cluster: str) -> Path:
    """The cluster's own kubeconfig."""
    return directories.state / cluster / "kubeconfig"
