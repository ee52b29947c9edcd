"""`top` and `status --watch`: the page at every width, and what is refused."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bootstrap.cli.watch_page import page
from bootstrap.model.cluster import ClusterState, DomainState
from bootstrap.model.names import ClusterName
from bootstrap.workflow.watching import Moment, Watch
from tests.fakes.cluster_api import FakePod
from tests.unit.cli.conftest import FakeCommandLine

NOW = datetime(2030, 12, 2, 8, 30, tzinfo=UTC)


@pytest.fixture
def moment(demo: FakeCommandLine) -> Moment:
    demo.world.api.pods = [FakePod(name="web", node="worker")]
    return Watch(ClusterName("demo"), demo.world.ports).look()


def drawn(moment: Moment, width: int) -> list[str]:
    text = page(moment, width, interval_s=5, now=NOW)
    lines = [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()]
    assert all(len(line) <= width for line in lines)
    return lines


def test_a_page_has_the_cluster_its_nodes_its_pods_and_its_ends(moment: Moment) -> None:
    lines = drawn(moment, 100)
    assert re.sub(r"\d\d:\d\d:\d\d", "TIME", lines[0]) == (
        "Cluster demo  running  TIME  API server: ok"
    )
    assert lines[2:] == [
        "NODE           DOMAIN   KUBERNETES  PODS   CPU           MEMORY  HOST CPU  HOST MEMORY",
        "control-plane  running  Ready          0  0.25  700 of 3072 MiB         -     1500 MiB",
        "worker         running  Ready          1  0.25  700 of 2048 MiB         -     1500 MiB",
        "",
        "pods: 1 Running",
        "certificate ends: 2031-01-01, in 29 days",
        "snapshots: none",
        "Every 5 s; q ends it.",
    ]


def test_a_narrow_page_has_what_matters(moment: Moment) -> None:
    lines = drawn(moment, 40)
    assert lines[2].split() == ["NODE", "KUBERNETES", "CPU", "MEM"]
    assert [line.split() for line in lines[3:5]] == [
        ["control-plane", "Ready", "0.25", "23%"],
        ["worker", "Ready", "0.25", "34%"],
    ]


@pytest.mark.parametrize("width", [20, 50, 60, 70, 80, 200])
def test_no_line_is_wider_than_the_terminal(moment: Moment, width: int) -> None:
    assert len(drawn(moment, width)) >= 9


def test_a_sick_cluster_is_drawn_with_what_is_known_and_no_control_codes(moment: Moment) -> None:
    """SEC-15."""
    nodes = [
        replace(
            node,
            status=replace(
                node.status,
                kubernetes="NotReady (\x1b[2Jgone)",
                domain=replace(node.status.domain, state=DomainState.SHUT_OFF),
            ),
            use=None,
            host_memory_mib=None,
        )
        for node in moment.nodes
    ]
    found = replace(moment.status, state=ClusterState.SICK, api="no\x1b]0;x\x07 answer")
    sick = replace(moment, status=found, nodes=nodes, pods={"\x1b[1mImagePullBackOff": 2})
    text = page(sick, 100, interval_s=5, now=NOW)
    assert "\x1b[2J" not in text
    assert "\x07" not in text
    lines = drawn(sick, 100)
    assert lines[3].split() == ["control-plane", "shut", "off", "NotReady", "(gone)", *"0----"]
    assert "pods: 2 ImagePullBackOff" in lines


@pytest.mark.parametrize("words", [("top", "demo"), ("status", "demo", "--watch")])
def test_a_pipe_is_refused(demo: FakeCommandLine, words: tuple[str, ...]) -> None:
    demo.world.journal.clear()
    assert "hint: bootstrap status demo" in demo.failed(2, *words)
    assert demo.world.journal.calls == []


@pytest.mark.parametrize("words", [("-o", "json"), ("--exit-code",), ("--picture", "x.svg")])
def test_what_is_for_scripts_is_refused(demo: FakeCommandLine, words: tuple[str, ...]) -> None:
    assert "takes neither -o nor --exit-code" in demo.failed(2, "status", "demo", "--watch", *words)
