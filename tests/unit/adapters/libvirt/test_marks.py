"""Marks that are not ours, or not of this version, are no marks."""

import uuid
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.adapters.libvirt.marks import mark_element, read_mark
from tests.builders import INSTALL, a_mark, a_plan, a_switch_mark

PLAN = a_plan()
MARK = a_mark(PLAN, PLAN.nodes[0])
TEXT = ET.tostring(mark_element(MARK, digest="d"), encoding="unicode")


def test_a_mark_is_read_back() -> None:
    assert read_mark(TEXT) == (MARK, "d")


def test_the_mark_of_a_switch_has_no_role_of_a_node() -> None:
    mark = a_switch_mark(PLAN)
    text = ET.tostring(mark_element(mark, digest="d"), encoding="unicode")
    assert 'role="switch"' in text
    assert read_mark(text) == (mark, "d")


#: As version 1 wrote it.
OLD = (
    '<b:node xmlns:b="https://bootstrap.dev/mark/1" install="11111111-2222-4333-8444-555555555555" '
    'owner="1000" cluster="demo" name="demo-worker" role="worker" directory="/v/demo/demo-worker" '
    'created="2030-01-01T00:00:00+00:00" digest="d"><b:port use="ssh" number="20001"/></b:node>'
)


@pytest.mark.parametrize(
    ("text", "layout"),
    [
        (OLD, 1),
        (OLD.replace("<b:node", '<b:node layout="99"').replace('role="worker"', 'role="king"'), 99),
        (
            OLD.replace(' directory="/v/demo/demo-worker"', "").replace(
                "<b:node", '<b:node layout="0"'
            ),
            0,
        ),
    ],
)
def test_a_mark_of_another_layout_tells_whose_it_is(text: str, layout: int) -> None:
    mark, digest = read_mark(text)
    assert (mark.layout, digest) == (layout, "d")
    assert (str(mark.cluster), mark.node, mark.owner_uid) == ("demo", "demo-worker", 1000)
    assert mark.install_id == INSTALL


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<x",
        "<x/>",
        TEXT.replace("install=", "other="),
        TEXT.replace(str(MARK.install_id), "no-uuid"),
        TEXT.replace('cluster="demo"', 'cluster="../demo"'),
        TEXT.replace('role="control-plane"', 'role="king"'),
        TEXT.replace('owner="1000"', 'owner="me"'),
        TEXT.replace('use="ssh"', 'for="ssh"'),
        TEXT.replace("digest=", "sum="),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    """R-15."""
    assert text != TEXT
    with pytest.raises(ValueError, match=r"."):
        read_mark(text)


@given(st.integers(0, len(TEXT) - 1), st.characters(codec="ascii"))
def test_a_damaged_mark_is_refused_or_still_whole(place: int, character: str) -> None:
    """G-06."""
    damaged = TEXT[:place] + character + TEXT[place + 1 :]
    try:
        mark, _ = read_mark(damaged)
    except ValueError:
        return
    assert isinstance(mark.install_id, uuid.UUID)
