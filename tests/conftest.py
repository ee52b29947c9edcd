"""Guards around every test, and the option that writes the golden files anew."""

import atexit
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import settings

from bootstrap.adapters.directories import find_directories
from bootstrap.waiting import wait_for
from tests import canaries, processes, scale

pytest.register_assert_rewrite("tests.faults", "tests.control_plane")
#: Runs tests inside tests, to see guards fail.
pytest_plugins = ("pytester",)
_TESTS = Path(__file__).parent
_GOLDEN = _TESTS / "data" / "golden"
_XDG = ("CONFIG", "STATE", "CACHE", "DATA", "RUNTIME")
#: The user's own, which no test may see.
_HIDDEN = ("KUBECONFIG", "SSH_AUTH_SOCK", "LIBVIRT_DEFAULT_URI", "XDG_CONFIG_DIRS")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_CHILDREN_PATIENCE_S = 5
#: Tests of real clusters use the user's real caches and guard themselves.
_REAL = ("e2e/", "faults/")
#: Fault tests that need no real cluster, and so are guarded like all others.
_GUARDED = (
    "faults/api/",
    "faults/downloads/",
    "faults/environment/",
    "faults/input/",
    "faults/kubeconfig/",
    "faults/ownership/",
    "faults/secrets/",
    "faults/ssh/",
)
# On a busy host any example may be slow; what must be fast is measured in processor time.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
#: The test that may start no program, if there is one.
_REFUSED: list[str] = []
_SHOWN = pytest.StashKey[list[tuple[str, str]]]()
#: Whole groups of unit tests whose subject is a program; others say so test by test.
_RUN_PROGRAMS = (
    "unit/adapters/artifacts/",
    "unit/adapters/image/",
    "unit/adapters/trust/test_authority.py",
    "unit/config/test_load.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the files in tests/data/golden anew"
    )


def _offer_kubernetes_programs() -> None:
    """Let tests run the real kubectl and kubeadm, if this user's cache has them built."""
    built = sorted(find_directories().cache.glob("artifacts/*/kube"))
    if not built:
        return
    directory = Path(tempfile.mkdtemp(prefix="kubernetes-"))
    atexit.register(shutil.rmtree, directory)
    for name in ("kubectl", "kubeadm"):
        (directory / name).symlink_to(built[-1])
        os.environ.setdefault(f"BOOTSTRAP_{name.upper()}", str(directory / name))


def pytest_configure(config: pytest.Config) -> None:
    # A CI job that a shell has begun with `&`, or nohup, ignores signals that tests send.
    for number in _SIGNALS:
        if signal.getsignal(number) is signal.SIG_IGN:
            is_interrupt = number == signal.SIGINT
            signal.signal(number, signal.default_int_handler if is_interrupt else signal.SIG_DFL)
    _offer_kubernetes_programs()
    canaries.install()
    processes.on_start(_refuse_program)
    config.addinivalue_line("markers", "runs_programs: a unit test that starts a child process")
    config.addinivalue_line(
        "markers", "shows_secrets(*places): files, or the output, where secrets are on purpose"
    )


def pytest_report_header() -> str:
    return scale.header()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what a test printed and logged, for the search at its end."""
    report = yield
    item.stash[_SHOWN] = report.sections
    return report


@pytest.fixture(scope="session")
def _children_before() -> set[int]:
    return _children()


def _children() -> set[int]:
    return {child.pid for child in psutil.Process().children()}


@pytest.fixture(autouse=True)
def _nothing_left(_children_before: set[int], request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves the process other than it was, or a child of it running."""
    if _is_real(request):
        yield
        # In a parallel run guarded tests may follow, beside what a session's fixtures started.
        _children_before |= _children()
        return
    environment, umask = _environment(), _umask()
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    yield
    # The command line is a process of its own, so it need not give handlers back.
    for number, handler in handlers.items():
        signal.signal(number, handler)
    assert _environment() == environment, "the test changed the environment"
    assert _umask() == umask, "the test changed the umask"
    left = [child for child in psutil.Process().children() if child.pid not in _children_before]
    _, alive = psutil.wait_procs(left, timeout=_CHILDREN_PATIENCE_S)
    lines = [child.cmdline() for child in alive]
    for child in alive:
        child.kill()
    assert not lines, "the test left child processes"


@pytest.fixture(autouse=True)
def _own_home(
    _nothing_left: None, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Path | None:
    """Make a home of its own for every test; BOOTSTRAP_HOME goes over all of XDG."""
    if _is_real(request):
        return None
    factory: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
    home = factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("BOOTSTRAP_HOME", str(home / "bootstrap"))
    for name in _XDG:
        directory = home / f"xdg-{name.lower()}"
        directory.mkdir(mode=0o700)
        monkeypatch.setenv(f"XDG_{name}_{'DIR' if name == 'RUNTIME' else 'HOME'}", str(directory))
    for name in _HIDDEN:
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture(autouse=True)
def _no_leak(_own_home: Path | None, request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which a key or token shows up where it does not belong (G-25, G-26)."""
    seen = canaries.CANARIES
    seen.clear()
    yield
    marker = request.node.get_closest_marker("shows_secrets")
    allowed = marker.args if marker else ()
    if "output" not in allowed:
        seen.shown += request.node.stash.get(_SHOWN, [])
    else:
        seen.shown.clear()
    roots = [place for place in (_own_home, (request.node.funcargs or {}).get("tmp_path")) if place]
    assert seen.leaks(roots, allowed) == []


@pytest.fixture(autouse=True)
def _no_programs(_own_home: Path | None, request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep unit tests from starting programs, unless they are marked ``runs_programs``."""
    place = _place(request)
    allowed = place.startswith(_RUN_PROGRAMS) or request.node.get_closest_marker("runs_programs")
    _REFUSED.clear()
    if not allowed and place.startswith("unit/"):
        _REFUSED.append(place)
    yield
    _REFUSED.clear()


def _refuse_program(words: object, _: object) -> None:
    if _REFUSED:
        pytest.fail(f"a unit test started a program: {words}")


@pytest.fixture
def short_directory() -> Iterator[Path]:
    """A short path, as a socket's must be; with one process a core, pytest's own are longer."""
    with tempfile.TemporaryDirectory(prefix="bs-", dir="/var/tmp") as name:
        yield Path(name)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let the only sleep pass on the only clock; returns what was slept."""
    pauses: list[float] = []
    defaults = wait_for.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "sleep", pauses.append)
    monkeypatch.setitem(defaults, "clock", lambda: sum(pauses))
    return pauses


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with a file that was reviewed; ``--update-golden`` writes it."""
    update = request.config.getoption("--update-golden")

    def compare(name: str, text: str) -> None:
        path = _GOLDEN / name
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text

    return compare


def _is_real(request: pytest.FixtureRequest) -> bool:
    return _place(request).startswith(_REAL) and not _place(request).startswith(_GUARDED)


def _place(request: pytest.FixtureRequest) -> str:
    return request.path.relative_to(_TESTS).as_posix()


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key != "PYTEST_CURRENT_TEST"}


def _umask() -> int:
    umask = os.umask(0o077)
    os.umask(umask)
    return umask
