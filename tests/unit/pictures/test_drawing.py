"""Pictures of runs: whole, safe to open, readable in the dark, and with nothing from outside."""

from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bootstrap.model.events import Status, Step
from bootstrap.pictures.drawing import timeline_html, timeline_svg
from bootstrap.pictures.palette import CRITICAL, GROUND, PAINTS, PANEL, QUIET, TEXT
from bootstrap.pictures.runs.report import Report, report_of
from bootstrap.pictures.runs.run import Run
from docs.pictures.draw import HERE, pictures
from tests.markup import CANARIES, HOSTILE, Page, read_svg, texts_of
from tests.unit.pictures.conftest import a_run


@pytest.fixture(params=range(3))
def report(request: pytest.FixtureRequest, kept: Sequence[Run]) -> Report:
    return report_of(kept[request.param], kept)


@pytest.fixture
def hostile() -> Report:
    """What a guest could say wherever a log has a text."""
    run = a_run(
        (0, None, Status.STARTED, None, HOSTILE),
        (1, Step.BOOT, Status.STARTED, None, HOSTILE),
        (2, Step.BOOT, Status.RUNNING, HOSTILE, HOSTILE),
        (20, Step.BOOT, Status.WAITING, HOSTILE, HOSTILE),
        (30, Step.BOOT, Status.NOTE, None, HOSTILE),
        (40, Step.BOOT, Status.FAILED, None, HOSTILE),
        (41, None, Status.FAILED, None, HOSTILE),
        run=HOSTILE,
    )
    return report_of(run, [run])


def test_a_picture_is_whole_and_tells_what_it_shows(report: Report) -> None:
    root = read_svg(timeline_svg("demo", report))
    text = texts_of(root)
    assert f"Cluster demo: {report.title}" in text
    assert all(bar.title in text for bar in (*report.run.steps, *report.run.work))
    assert root.attrib["role"] == "img"
    named = root.attrib["aria-labelledby"].split()
    assert [child.attrib.get("id") for child in root][:2] == named


def test_a_page_is_whole_and_its_tables_tell_what_the_picture_shows(report: Report) -> None:
    page = Page(timeline_html("demo", report))
    assert set(page.texts) >= {one.title for one in report.path}
    assert set(page.texts) >= {bar.title for bar in report.run.work if bar.failure is None}
    assert set(page.texts) >= {change.name for change in report.changes}
    assert set(page.texts) >= {remark.text for remark in report.run.remarks}
    assert len(page.ids) == len(set(page.ids))


def test_a_page_forbids_scripts_and_everything_from_elsewhere(report: Report) -> None:
    text = timeline_html("demo", report)
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    assert f'<meta http-equiv="Content-Security-Policy" content="{policy}">' in text


def test_both_follow_the_readers_choice_of_light_or_dark(report: Report) -> None:
    for text in (timeline_svg("demo", report), timeline_html("demo", report)):
        assert "@media (prefers-color-scheme: dark)" in text
        assert PAINTS["work"].fill.dark in text


def test_hostile_text_is_shown_in_a_picture_and_is_no_part_of_it(hostile: Report) -> None:
    """SEC-43."""
    text = texts_of(read_svg(timeline_svg("demo", hostile)))
    assert [canary for canary in CANARIES if canary not in text] == []


def test_hostile_text_is_shown_on_a_page_and_is_no_part_of_it(hostile: Report) -> None:
    text = "".join(Page(timeline_html("demo", hostile)).texts)
    assert [canary for canary in CANARIES if canary not in text] == []


@given(st.text(st.characters(), max_size=40))
@example("\ud800")
@settings(max_examples=40)
def test_whatever_a_text_holds_the_picture_and_the_page_are_whole(text: str) -> None:
    run = a_run((1, Step.BOOT, Status.STARTED, None, text), (9, None, Status.RUNNING, text, text))
    report = report_of(run, [run])
    read_svg(timeline_svg("demo", report))
    Page(timeline_html("demo", report))


def test_a_picture_can_be_written_as_utf_8(hostile: Report) -> None:
    assert timeline_svg("demo", hostile).encode()
    assert timeline_html("demo", hostile).encode()


def _luminance(colour: str) -> float:
    """Return WCAG's relative luminance."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("ground", [0, 1], ids=["light", "dark"])
def test_texts_and_borders_have_the_contrast_that_wcag_asks_for(ground: int) -> None:
    behind = [GROUND, PANEL, *(paint.fill for paint in PAINTS.values())]
    for text, back in product([TEXT, QUIET], behind):
        assert contrast(text[ground], back[ground]) >= 4.5, (text, back)
    for line in (CRITICAL, *(paint.border for paint in PAINTS.values())):
        assert contrast(line[ground], GROUND[ground]) >= 3, line


def test_the_pictures_of_the_documents_are_of_this_version() -> None:
    drawn = pictures()
    assert drawn
    for name, text in drawn.items():
        assert (HERE / name).read_text(encoding="utf-8") == text, (
            "PYTHONPATH=. python docs/pictures/draw.py"
        )
