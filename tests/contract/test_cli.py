"""The command as a process: exit codes, streams, signals, with libvirt's test driver behind it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bootstrap.adapters.directories import find_directories
from bootstrap.adapters.locks import locked
from bootstrap.model.names import ClusterName

BOOTSTRAP = [sys.executable, "-m", "bootstrap"]
PATIENCE_S = 30
STILL_THERE_S = 2


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*BOOTSTRAP, *words], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """Name a libvirt of our own, with nothing in it."""
    (tmp_path / "node.xml").write_text("<node/>")
    return f"test://{tmp_path}/node.xml"


def test_a_result_is_on_stdout_and_nothing_is_on_stderr(uri: str) -> None:
    done = run("list", "--hypervisor", uri)
    assert (done.returncode, done.stdout, done.stderr) == (0, "No cluster exists.\n", "")
    assert json.loads(run("list", "--hypervisor", uri, "-o", "json").stdout) == []


def test_an_error_is_on_stderr_and_nothing_is_on_stdout(uri: str) -> None:
    done = run("status", "nobody", "--hypervisor", uri)
    assert (done.returncode, done.stdout) == (6, "")
    lines = done.stderr.splitlines()
    assert lines[0].startswith("error: There is no cluster 'nobody'")
    assert lines[-1] == "hint: bootstrap list"


@pytest.mark.parametrize("name", ["../x", "Demo", "a b", "x;rm -rf", "-oProxyCommand=x"])
def test_a_bad_name_is_wrong_use(uri: str, name: str) -> None:
    """H-01, H-06."""
    done = run("status", "--hypervisor", uri, "--", name)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_a_libvirt_that_is_not_there_is_the_hosts_fault() -> None:
    """P-02."""
    done = run("list", "--hypervisor", "qemu:///system?socket=/nonexistent")
    assert done.returncode == 3
    assert done.stderr.startswith("error: Could not reach libvirt at ")
    assert "hint: " in done.stderr


def test_down_of_what_never_was_is_done_and_leaves_no_file(uri: str) -> None:
    """Z-05: for a whole cluster's name and for all."""
    before = _files()
    done = run("down", "nobody", "--hypervisor", uri, "-o", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["domains"] == []
    assert run("down", "--all", "--hypervisor", uri).returncode == 0
    new = {path.name for path in _files() - before}
    assert new <= {"install-id", "durations.json"}


def test_colours_are_for_terminals_only(uri: str) -> None:
    done = run("status", "nobody", "--hypervisor", uri)
    assert "\x1b" not in done.stderr


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    """R-12."""
    process = subprocess.Popen(
        [*BOOTSTRAP, "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert b"Traceback" not in errors
    assert process.returncode in {0, 141}


@pytest.mark.parametrize(
    ("number", "exit_code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
)
def test_a_signal_ends_it_at_once_with_its_own_code(
    uri: str, number: signal.Signals, exit_code: int
) -> None:
    """G-04, R-08, R-12: while it waits for another run's lock."""
    lock = find_directories().cluster_lock(ClusterName("demo"))
    with locked(lock, what="demo"):
        process = subprocess.Popen(
            [*BOOTSTRAP, "down", "demo", "--hypervisor", uri],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        _until_caught(process.pid, number)
        process.send_signal(number)
        out, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == exit_code
    assert out == ""
    assert "Traceback" not in errors
    if number == signal.SIGINT:
        assert "run the same command again" in errors


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_a_signal_that_was_ignored_stays_ignored(uri: str, number: signal.Signals) -> None:
    """R-12: `nohup bootstrap up`, or `&` in a script, survives the terminal's end."""
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with locked(find_directories().cluster_lock(ClusterName("demo")), what="demo"):
            process = subprocess.Popen([*BOOTSTRAP, "down", "demo", "--hypervisor", uri])
            _until_caught(process.pid, signal.SIGTERM)
            process.send_signal(number)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(STILL_THERE_S)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 128 + signal.SIGTERM
    finally:
        signal.signal(number, before)


def test_the_version_is_told_in_two_ways() -> None:
    told = run("--version").stdout
    assert re.fullmatch(r"bootstrap, version \d+\.\d+\.\d+\n", told)
    assert json.loads(run("version", "-o", "json").stdout)["bootstrap"] in told


def _files() -> set[Path]:
    return {path for path in Path(os.environ["HOME"]).rglob("*") if path.is_file()}


def _until_caught(pid: int, number: signal.Signals) -> None:
    """Wait until the process has a handler for the signal."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        status = Path(f"/proc/{pid}/status").read_text()
        caught = int(re.findall(r"SigCgt:\s*([0-9a-f]+)", status)[0], 16)
        # Python itself catches SIGINT from its start, so SIGTERM's handler tells.
        if caught >> (signal.SIGTERM - 1) & 1 and caught >> (number - 1) & 1:
            return
        assert time.monotonic() < deadline
        time.sleep(0.01)
