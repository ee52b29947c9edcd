"""Debian packages from this host's own mirror, and what a kill leaves of the fetching."""

import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import psutil
import pytest

from bootstrap.adapters.debian import namespace
from bootstrap.adapters.debian.mirror import debian_mirror
from bootstrap.adapters.debian.packages import fetch_packages
from bootstrap.errors import BootstrapError, HostError
from tests.processes import has_ended, name_of, until

SUITE, PACKAGE = "trixie", "netbase"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A private directory to fetch into; what else is written may only come to its neighbour."""
    try:
        debian_mirror()
        namespace.check(uid=os.getuid())
    except HostError as error:
        pytest.skip(f"{error.message} {error.details}")
    (tmp_path / "private").mkdir(mode=0o700)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    return tmp_path / "private"


def fetch(place: Path, package: str = PACKAGE) -> None:
    fetch_packages(
        place / "packages.tar",
        suite=SUITE,
        packages=[package],
        options=["--variant=extract"],
        log=place.parent / "log",
    )


def names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def test_packages_are_fetched_and_nothing_else_is_left(place: Path) -> None:
    fetch(place)
    with tarfile.open(place / "packages.tar") as archive:
        assert "./etc/protocols" in archive.getnames()
    assert names(place) == ["packages.tar"]
    assert names(place.parent / "temporary") == []


def test_a_package_that_does_not_exist_is_reported_in_the_words_of_apt(place: Path) -> None:
    with pytest.raises(BootstrapError, match=r"Could not fetch Debian packages\.") as caught:
        fetch(place, "no-such-package")
    assert "no-such-package" in caught.value.details
    assert names(place.parent / "temporary") == []


def test_a_host_without_the_program_gets_the_command_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A-11."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HostError, match="'mmdebstrap' is not installed") as caught:
        fetch(tmp_path)
    assert caught.value.hint == "sudo apt-get install mmdebstrap debian-archive-keyring"


_FETCH = """
import sys
from pathlib import Path
from tests.contract.test_packages import fetch
fetch(Path(sys.argv[1]))
"""


def test_a_kill_leaves_only_files_that_the_caller_removes(place: Path) -> None:
    """G-01, R-07, R-09: no process, and no file that belongs to one of the user's other ids."""
    parent = subprocess.Popen([sys.executable, "-c", _FETCH, str(place)], start_new_session=True)
    one = psutil.Process(parent.pid)
    try:
        until(lambda: any(name_of(it).startswith("apt") for it in one.children(recursive=True)))
        family = one.children(recursive=True)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    until(lambda: all(map(has_ended, family)))
    assert names(place.parent / "temporary") == []
    assert {path.lstat().st_uid for path in place.rglob("*")} <= {os.getuid()}
    assert str(place) not in Path("/proc/self/mounts").read_text()
