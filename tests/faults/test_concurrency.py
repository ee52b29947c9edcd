"""Many runs at once: different clusters never share a thing, one cluster has one run."""

import re
import xml.etree.ElementTree as ET

import pytest
import yaml

from tests.faults.conftest import Scale
from tests.faults.sandbox import Ended, Sandbox

pytestmark = pytest.mark.timeout(14400)
MARK = "{https://bootstrap.dev/mark/1}"


def test_clusters_made_at_once_share_nothing(sandbox: Sandbox, scale: Scale) -> None:
    """G-07, N-15, R-02, R-18: 20 at once, 50 in the long run; then all go at once."""
    names = [f"{sandbox.name}-{number}" for number in range(scale.choose(ci=20, long=50))]
    ups = [sandbox.start("up", name) for name in names]
    for running in ups:
        ended = running.end(deadline_s=300)
        assert ended.exit_code == 0, str(ended)
        scale.count("clusters")
    _assert_distinct(sandbox, names)
    users = yaml.safe_load(sandbox.user_kubeconfig.read_text())["users"]
    assert {user["name"] for user in users} == {"me", *(f"bootstrap-{name}" for name in names)}
    for running in [sandbox.start("down", name) for name in names]:
        ended = running.end(deadline_s=300)
        assert ended.exit_code == 0, str(ended)
    sandbox.assert_nothing()


def test_of_many_runs_of_one_cluster_one_works_at_a_time(sandbox: Sandbox, scale: Scale) -> None:
    """G-08, R-01: the others wait a little, then exit with 4 and name who works."""
    for _ in range(scale.choose(ci=10, long=1000)):
        runs = [sandbox.start("up", sandbox.name) for _ in range(10)]
        _assert_won_or_told([run.end() for run in runs], scale)
        sandbox.assert_converged(1)
        runs = [sandbox.start("down", sandbox.name) for _ in range(3)]
        _assert_won_or_told([run.end() for run in runs], scale)
        sandbox.assert_nothing()
        scale.count("rounds")


def test_up_and_down_at_once_end_in_one_of_both(sandbox: Sandbox, scale: Scale) -> None:
    """R-01, Z-07: the last run decides; nothing in between remains."""
    for _ in range(scale.choose(ci=10, long=300)):
        words = ["up", "down", "up", "down"]
        sandbox.random.shuffle(words)
        ended = [run.end() for run in [sandbox.start(word, sandbox.name) for word in words]]
        _assert_won_or_told(ended, scale)
        if sandbox.nodes():
            sandbox.assert_converged(1)
        sandbox.down()
        scale.count("rounds")


def test_a_holder_that_hangs_is_named_with_pid_and_command(sandbox: Sandbox) -> None:
    """G-08, R-01, R-04: the second exits with 4; who only reads never waits."""
    holder = sandbox.hanging()
    second = sandbox.run("up", sandbox.name)
    assert second.exit_code == 4, str(second)
    assert f"pid {holder.pid} (bootstrap up {sandbox.name}, " in second.stderr
    assert sandbox.run("list").exit_code == 0
    holder.kill()
    sandbox.up()
    sandbox.down()


def test_a_holder_that_is_stopped_is_named_as_stopped(sandbox: Sandbox) -> None:
    """R-10: after Ctrl-Z all other runs would wait for ever."""
    holder = sandbox.hanging()
    holder.stop()
    second = sandbox.run("down", sandbox.name)
    assert second.exit_code == 4, str(second)
    assert f"pid {holder.pid} " in second.stderr
    assert "T (stopped)" in second.stderr
    holder.kill()
    sandbox.down()


def _assert_won_or_told(ended: list[Ended], scale: Scale) -> None:
    codes = [one.exit_code for one in ended]
    assert set(codes) <= {0, 4}, "\n".join(map(str, ended))
    assert 0 in codes
    scale.count("done", codes.count(0))
    scale.count("exit 4", codes.count(4))
    for one in ended:
        if one.exit_code == 4:
            assert re.search(r"pid \d+ \(bootstrap (up|down) ", one.stderr), str(one)


def _assert_distinct(sandbox: Sandbox, names: list[str]) -> None:
    ports, paths, macs, uuids = [], [], [], []
    for name, domain in sandbox.domains().items():
        if not name.startswith(sandbox.name):
            continue
        tree = ET.fromstring(domain.XMLDesc())  # noqa: S314 - libvirt's own
        mark = next(tree.iter(f"{MARK}node"))
        ports += [port.attrib["number"] for port in mark if port.tag.endswith("port")]
        paths += [source.attrib["file"] for source in tree.iterfind("devices/disk/source")]
        macs += [mac.attrib["address"] for mac in tree.iterfind("devices/interface/mac")]
        uuids.append(domain.UUIDString())
    # Two nodes and the switch; SSH to both, and the API server.
    assert len(uuids) == 3 * len(names)
    for kind in (ports, paths, macs, uuids):
        assert len(kind) == len(set(kind)), sorted(kind)
    assert len(ports) == 3 * len(names)
