"""Lay out the topology of a cluster: where each node, port and cable is at a width in pixels."""

from collections.abc import Iterator, Sequence

from bootstrap.model.network import UPLINK_ADDRESS, UPLINK_SUBNET
from bootstrap.pictures.clusters.shapes import Card, Chip, Fact, Map, Row
from bootstrap.pictures.clusters.topology import Mood, NodePart, Topology
from bootstrap.pictures.text import shortened, width_of

_EDGE, _PADDING, _GAP = 8, 20, 24
_LEAST_CARD, _LARGEST_CARD = 205, 460
_LINE = 19
_CHIP, _CHIP_GAP = 22, 6
_CARD_HEAD, _UNDER_CARD = 54, 28
_SWITCH = 38
_FACT, _LEAST_FACT = 34, 210
#: The labels of a card's rows, and where their values begin.
_LABELS = 62
_KINDS = {Mood.GOOD: "work", Mood.REST: "rest", Mood.BAD: "bad", Mood.PLANNED: "planned"}


def lay_out(topology: Topology, width: float) -> Map:
    """Lay out a topology."""
    facts = list(_facts(topology, width))
    facts_end = facts[-1].y + _FACT
    cards = list(_cards(topology.nodes, facts_end + _PADDING, width))
    switch_y = max(card.y + card.height for card in cards) + _UNDER_CARD
    return Map(
        width=width,
        height=switch_y + _SWITCH + _PADDING + _EDGE,
        facts_end=facts_end,
        facts=facts,
        cards=cards,
        cables=[_cable(card, switch_y, cards) for card in cards],
        switch_y=switch_y,
        switch_height=_SWITCH,
        switch_kind=_KINDS[topology.switch.mood],
        switch_mood=topology.switch.mood.value,
        switch=shortened(_switch_text(topology), width - 4 * _PADDING - 2 * _EDGE),
        chip=_CHIP,
        labels=_LABELS,
    )


def _switch_text(topology: Topology) -> str:
    switch = topology.switch
    name = f"switch {switch.domain}".strip()
    return f"{name}: {switch.state} · cluster network {topology.node_subnet}"


def _facts(topology: Topology, width: float) -> Iterator[Fact]:
    """Put what holds for the whole cluster into columns."""
    values = (
        ("hypervisor", topology.hypervisor),
        ("Kubernetes", topology.version),
        ("API server, from this host", topology.server),
        ("nodes (cluster network)", topology.node_subnet),
        ("pods", topology.pod_subnet),
        ("services", topology.service_subnet),
        ("uplink: a user network each", str(UPLINK_SUBNET)),
    )
    known = [(name, value) for name, value in values if value]
    inner = width - 2 * (_EDGE + _PADDING)
    columns = _balanced(len(known), most=int(inner // _LEAST_FACT))
    for number, (name, value) in enumerate(known):
        row, column = divmod(number, columns)
        room = inner / columns
        yield Fact(
            x=_EDGE + _PADDING + column * room,
            y=_EDGE + 44 + row * _FACT,
            name=name,
            value=shortened(value, room - 8),
        )


def _balanced(number: int, *, most: int) -> int:
    """Return how many columns things fill evenly, of ``most`` that there is room for."""
    rows = -(-number // max(most, 1))
    return -(-number // rows)


def _cards(nodes: Sequence[NodePart], y: float, width: float) -> Iterator[Card]:
    """Put the nodes into rows, each as high as its highest part."""
    inner = width - 2 * (_EDGE + _PADDING)
    columns = _balanced(len(nodes), most=int((inner + _GAP) // (_LEAST_CARD + _GAP)))
    card = min((inner - (columns - 1) * _GAP) / columns, _LARGEST_CARD)
    left = (width - columns * card - (columns - 1) * _GAP) / 2
    for start in range(0, len(nodes), columns):
        row = nodes[start : start + columns]
        chips = max(len(node.ports) for node in row)
        top = y + chips * (_CHIP + _CHIP_GAP) + 2 * _CHIP_GAP
        height = _CARD_HEAD + max(len(list(_rows(node))) for node in row) * _LINE + 8
        for place, node in enumerate(row):
            yield _card(node, left + place * (card + _GAP), top, (card, height))
        y = top + height + _UNDER_CARD + _GAP


def _card(node: NodePart, x: float, y: float, size: tuple[float, float]) -> Card:
    width, height = size
    room = width - _LABELS - 20
    rows = [
        Row(y=y + _CARD_HEAD + 14 + number * _LINE, name=name, value=shortened(value, room))
        for number, (name, value) in enumerate(_rows(node))
    ]
    chips = [
        Chip(
            y=y - 2 * _CHIP_GAP - (len(node.ports) - number) * (_CHIP + _CHIP_GAP) + _CHIP_GAP,
            text=shortened(f"127.0.0.1:{port} \N{RIGHTWARDS ARROW} {what}", width - 16),
        )
        for number, (what, port) in enumerate(sorted(node.ports.items()))
    ]
    role = node.role if node.role != node.name else ""
    return Card(
        x=round(x, 1),
        y=round(y, 1),
        width=round(width, 1),
        height=height,
        kind=_KINDS[node.mood],
        mood=node.mood.value,
        name=shortened(node.name, width - 28 - width_of(role)),
        role=role,
        state=shortened(node.state, width - 40),
        hover=f"{node.name}, domain {node.domain}: {node.state}",
        rows=rows,
        chips=chips,
    )


def _rows(node: NodePart) -> Iterator[tuple[str, str]]:
    yield "uplink", str(UPLINK_ADDRESS)
    if node.address:
        yield "cluster", node.address
    if node.endpoint:
        yield "API", node.endpoint
    if node.pod_subnet:
        yield "pods", node.pod_subnet
    yield "size", node.size
    yield "disk", node.disk


def _cable(card: Card, switch_y: float, cards: Sequence[Card]) -> str:
    """Lead a cable from a node to the switch: straight, or left past the rows below."""
    x, y = card.x + card.width / 2, card.y + card.height
    if card.y == max(other.y for other in cards):
        return f"{x},{y} {x},{switch_y}"
    # At the left edge there is room for them.
    turn, left = y + _UNDER_CARD / 2, _EDGE + _PADDING / 2
    middle = switch_y + _SWITCH / 2
    way = ((x, y), (x, turn), (left, turn), (left, middle), (_EDGE + _PADDING, middle))
    return " ".join(f"{x},{y}" for x, y in way)
