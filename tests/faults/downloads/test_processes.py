"""Downloads of several processes, of one that is killed, and on a disk that is full."""

import contextlib
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.adapters.debian import namespace
from bootstrap.errors import HostError
from bootstrap.waiting import NotYet, wait_for
from tests.fakes.release_server import ReleaseServer, serving
from tests.faults.downloads.toxics import ending, headers

PATH = "/kubelet"
CONTENT = os.urandom(3 << 20)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
ROOT = Path(__file__).parents[3]
SCRIPT = Path(__file__).with_name("fetching.py")


@pytest.fixture
def server() -> Iterator[ReleaseServer]:
    with serving() as server:
        server.files[PATH] = CONTENT
        yield server


def words(server: ReleaseServer, directory: Path) -> list[str]:
    return [sys.executable, str(SCRIPT), server.url + PATH, SHA256, str(directory)]


def environment(**more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME")}
    return kept | {"PYTHONPATH": str(ROOT)} | more


@contextlib.contextmanager
def fetching(server: ReleaseServer, directory: Path) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        words(server, directory),
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_killed_download_leaves_a_part_that_the_next_run_goes_on_with(
    server: ReleaseServer, tmp_path: Path
) -> None:
    """I-01."""
    server.faults = [ending("stall", 2 << 20)]
    partial, final = tmp_path / f"{SHA256}.partial", tmp_path / SHA256

    def has_come() -> None:
        if not partial.exists() or partial.stat().st_size < 2 << 20:
            raise NotYet("too little has come")

    with fetching(server, tmp_path) as process:
        wait_for("two MiB", has_come, timeout_s=60, interval_s=0.05)
        process.kill()
    assert not final.exists()
    with fetching(server, tmp_path) as process:
        assert process.wait() == 0, process.stderr
    assert final.read_bytes() == CONTENT
    assert [request.start for request in server.requests] == [0, 2 << 20]


def test_one_of_many_processes_downloads_and_all_get_the_file(
    server: ReleaseServer, tmp_path: Path
) -> None:
    """I-11."""
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(fetching(server, tmp_path)) for _ in range(6)]
        assert [process.wait() for process in processes] == [0] * 6
    assert len(server.requests) == 1
    assert (tmp_path / SHA256).read_bytes() == CONTENT


@pytest.mark.parametrize("tells_length", [True, False])
def test_a_full_disk_keeps_no_part_and_is_named_with_its_sizes(
    server: ReleaseServer, tmp_path: Path, *, tells_length: bool
) -> None:
    """I-14."""
    try:
        namespace.check(uid=os.getuid())
    except HostError as error:
        pytest.skip(f"{error.message} {error.details}")
    if not tells_length:
        server.always = headers(Content_Length=None)
    script = 'mount -t tmpfs -o size=1m,mode=0700 none "$0" && "$@"; e=$?; ls "$0" >&2; exit $e'
    inside = ["sh", "-c", script, str(tmp_path), *words(server, tmp_path)]
    done = subprocess.run(
        namespace.argv(inside, uid=os.getuid()),
        env=environment(PATH=f"{os.environ['PATH']}:/usr/sbin:/sbin"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert ("3 MiB are still to come, 1 MiB are free" in done.stderr) == tells_length
    assert ("MiB are free under" in done.stderr) == (not tells_length)
    assert SHA256 not in done.stderr.splitlines()
    assert f"{SHA256}.partial" not in done.stderr.splitlines()
