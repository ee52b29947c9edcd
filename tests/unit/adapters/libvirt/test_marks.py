"""Marks that are not ours, or not of this version, are no marks."""

import uuid
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.adapters.libvirt.marks import mark_element, read_mark
from tests.builders import a_mark, a_plan

PLAN = a_plan()
MARK = a_mark(PLAN, PLAN.nodes[0])
TEXT = ET.tostring(mark_element(MARK, digest="d"), encoding="unicode")


def test_a_mark_is_read_back() -> None:
    assert read_mark(TEXT) == (MARK, "d")


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
