"""A cluster as a picture: of a plan, and of what exists, however it is."""

from dataclasses import replace
from itertools import pairwise

import pytest

from bootstrap.model.cluster import Domain, DomainState, Mark
from bootstrap.model.names import ClusterName
from bootstrap.model.plan import ClusterPlan, NodePlan
from bootstrap.pictures.clusters.observed import observed_topology
from bootstrap.pictures.clusters.placing import lay_out
from bootstrap.pictures.clusters.planned import planned_topology
from bootstrap.pictures.clusters.shapes import Map
from bootstrap.pictures.clusters.topology import Mood, Topology
from bootstrap.pictures.drawing import topology_html, topology_svg
from bootstrap.pictures.text import width_of
from bootstrap.workflow.shape import domain_facts
from tests.builders import a_cluster_spec, a_mark, a_plan, a_switch_mark
from tests.markup import CANARIES, HOSTILE, Page, read_svg, texts_of

DEMO = ClusterName("demo")
PLAN = a_plan(a_cluster_spec(workers=2))


def a_domain(
    node: NodePlan, /, state: DomainState = DomainState.RUNNING, reason: str = "", **changes: object
) -> Domain:
    ports = {"ssh": node.ssh_port} | ({"api": node.api_port} if node.api_port else {})
    mark = a_mark(PLAN, node, ports=ports, facts=domain_facts(PLAN, node))
    return domain_of(replace(mark, **changes), node.domain_name, state, reason)  # type: ignore[arg-type]


def domain_of(mark: Mark, name: str, state: DomainState, reason: str = "") -> Domain:
    return Domain(
        domain_name=name,
        uuid=PLAN.switch.uuid,
        state=state,
        reason=reason,
        is_emulated=True,
        mark=mark,
    )


SWITCH = domain_of(a_switch_mark(PLAN), "demo-switch", DomainState.RUNNING)


def observed(*said: str, domains: list[Domain] | None = None) -> Topology:
    found = [a_domain(node) for node in PLAN.nodes] if domains is None else domains
    said = said or ("Ready",) * len(found)
    pairs = list(zip(found, said, strict=True))
    return observed_topology(DEMO, pairs, SWITCH, hypervisor="qemu:///session", state="running")


def test_a_plan_tells_which_nodes_exist() -> None:
    topology = planned_topology(PLAN, ["control-plane"])
    assert [(node.name, node.mood, node.state) for node in topology.nodes] == [
        ("control-plane", Mood.REST, "exists"),
        ("worker", Mood.PLANNED, "would be made"),
        ("worker2", Mood.PLANNED, "would be made"),
    ]
    assert topology.switch.mood is Mood.REST
    assert planned_topology(PLAN, []).switch.mood is Mood.PLANNED


def test_what_exists_has_the_addresses_and_ports_of_its_plan() -> None:
    """The plan knows them from the cluster file, what exists from the marks of the domains."""
    plan, found = planned_topology(PLAN, []), observed()
    for name in ("version", "server", "node_subnet", "pod_subnet", "service_subnet"):
        assert getattr(found, name) == getattr(plan, name)
    for node, wanted in zip(found.nodes, plan.nodes, strict=True):
        assert replace(node, mood=wanted.mood, state=wanted.state) == wanted
    assert replace(found.switch, mood=Mood.PLANNED, state="would be made") == plan.switch


@pytest.mark.parametrize(
    ("state", "reason", "said", "mood", "words"),
    [
        (DomainState.RUNNING, "", "Ready", Mood.GOOD, "running; Ready"),
        (DomainState.RUNNING, "", "NotReady", Mood.BAD, "running; NotReady"),
        (DomainState.RUNNING, "", "unknown", Mood.BAD, "running; unknown"),
        (DomainState.SHUT_OFF, "", "unknown", Mood.REST, "shut off"),
        (DomainState.PAUSED, "by a user", "unknown", Mood.REST, "paused (by a user)"),
        (DomainState.PAUSED, "I/O error", "unknown", Mood.BAD, "paused (I/O error)"),
        (DomainState.CRASHED, "", "unknown", Mood.BAD, "crashed"),
    ],
)
def test_how_a_node_is(state: DomainState, reason: str, said: str, mood: Mood, words: str) -> None:
    (node,) = observed(said, domains=[a_domain(PLAN.nodes[0], state, reason)]).nodes
    assert (node.mood, node.state) == (mood, words)


def test_a_switch_that_is_missing_is_shown_as_that() -> None:
    pairs = [(a_domain(PLAN.nodes[0]), "Ready")]
    found = observed_topology(DEMO, pairs, None, hypervisor="x", state="sick")
    assert (found.switch.mood, found.switch.state) == (Mood.BAD, "missing")
    assert "switch: missing" in texts_of(read_svg(topology_svg(found)))


def test_marks_that_tell_little_can_be_drawn() -> None:
    found = observed(domains=[a_domain(node, facts={}, ports={}) for node in PLAN.nodes])
    assert (found.server, found.nodes[0].address, found.nodes[0].endpoint) == ("", "", "")
    read_svg(topology_svg(found))
    Page(topology_html(found))


@pytest.mark.parametrize("width", [744, 900, 1480])
@pytest.mark.parametrize("workers", [0, 1, 2, 3, 6, 12])
def test_nodes_are_inside_and_apart_at_any_width(workers: int, width: float) -> None:
    it = laid_out(a_plan(a_cluster_spec(workers=workers)), width)
    boxes = []
    for card in it.cards:
        top = min(chip.y for chip in card.chips)
        boxes.append((card.x, top, card.x + card.width, card.y + card.height))
        assert top >= it.facts_end
        assert all(chip.y + it.chip <= card.y for chip in card.chips)
        assert all(width_of(row.value) <= card.width - it.labels - 8 for row in card.rows)
        assert all(card.y < row.y < card.y + card.height for row in card.rows)
    assert len(boxes) == workers + 1
    assert all(left >= 28 and right <= width - 28 for left, _, right, _ in boxes)
    assert all(bottom < it.switch_y for *_, bottom in boxes)
    for number, (left, top, right, bottom) in enumerate(boxes):
        for other_left, other_top, other_right, other_bottom in boxes[:number]:
            is_beside = other_right <= left or right <= other_left
            assert is_beside or other_bottom <= top or bottom <= other_top


@pytest.mark.parametrize("width", [744, 1480])
def test_no_cable_goes_through_a_node(width: float) -> None:
    it = laid_out(a_plan(a_cluster_spec(workers=9)), width)
    assert len(it.cables) == 10
    for cable in it.cables:
        corners = [tuple(map(float, point.split(","))) for point in cable.split()]
        for (x1, y1), (x2, y2) in pairwise(corners):
            for card in it.cards:
                is_beside = max(x1, x2) <= card.x or card.x + card.width <= min(x1, x2)
                assert is_beside or max(y1, y2) <= card.y or card.y + card.height <= min(y1, y2)


def laid_out(plan: ClusterPlan, width: float) -> Map:
    return lay_out(planned_topology(plan, []), width)


def test_nothing_important_is_cut_off_where_three_nodes_stand_beside_each_other() -> None:
    text = texts_of(read_svg(topology_svg(planned_topology(PLAN, []))))
    for node in PLAN.nodes:
        assert str(node.address) in text
        assert str(node.pod_subnet) in text
        assert f"127.0.0.1:{node.ssh_port}" in text
    assert PLAN.endpoint in text
    assert PLAN.server in text
    assert "…" not in text


def test_hostile_text_is_no_part_of_a_picture_or_a_page() -> None:
    """SEC-43: what Kubernetes says of a node comes from the node."""
    node = PLAN.nodes[0]
    domain = a_domain(node, DomainState.RUNNING, HOSTILE, node=HOSTILE, facts={"address": HOSTILE})
    found = replace(observed(HOSTILE, domains=[domain]), title=HOSTILE, hypervisor=HOSTILE)
    text = texts_of(read_svg(topology_svg(found)))
    assert [canary for canary in CANARIES if canary not in text] == []
    page = "".join(Page(topology_html(found)).texts)
    assert [canary for canary in CANARIES if canary not in page] == []


def test_a_page_tells_in_a_table_what_the_picture_shows() -> None:
    page = Page(topology_html(observed()))
    assert set(page.texts) >= {"worker2", "running; Ready", "10.44.0.22", "10.244.11.0/24"}
    assert len(page.ids) == len(set(page.ids))
