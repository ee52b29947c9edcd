"""The live view as lines, at every width."""

import contextlib
from pathlib import Path

import pytest

from bootstrap.adapters.events.course import Course
from bootstrap.adapters.events.durations import Durations, PastRun
from bootstrap.adapters.events.live.board import Board
from bootstrap.adapters.events.live.drawing import ASCII, Drawing
from bootstrap.adapters.events.stream import EventStream
from bootstrap.errors import HostError
from bootstrap.model.events import Step, Unit
from tests.unit.adapters.events.test_course import Run

TEN = " " * 16 + "10 s"
USUAL = {"create-machines": 10, "boot": 30, "join": 60}


@pytest.fixture
def durations(tmp_path: Path) -> Durations:
    durations = Durations(tmp_path / "durations.json")
    durations.add(PastRun(command="bootstrap up", found=(), nodes=0, seconds=USUAL))
    return durations


def a_board(durations: Durations) -> tuple[Board, Run]:
    course = Course(durations)
    board = Board(course)
    return board, Run(course, board)


def half_way(events: EventStream, run: Run) -> None:
    """Report a run until its control plane waits and its worker is done."""
    run.step(Step.CREATE_MACHINES, 10)
    events.node("control-plane", "booting", phase=Step.BOOT)
    events.node("worker", "booting", phase=Step.BOOT)
    run.clock.now_s += 5
    events.node("worker", "booted", phase=Step.BOOT, is_done=True)
    events.waiting("waiting for SSH; last seen: no SSH greeting within 5 s", node="control-plane")
    events.waiting("waiting for the switch")
    events.progress("Copying", 3_000_000, 12_000_000, Unit.BYTES)


def drawn(board: Board, width: int, now_s: float = 20, height: int = 24) -> list[str]:
    lines = Drawing(width, height).lines(board, now_s)
    assert all(line.cell_len < width for line in lines)
    return [line.plain.rstrip() for line in lines]


def test_each_node_has_a_row_with_its_phase_its_work_and_its_time(durations: Durations) -> None:
    board, run = a_board(durations)
    with run.events.whole_run("bootstrap up"), run.events.step(Step.BOOT, "Booting the nodes"):
        half_way(run.events, run)
        lines = drawn(board, 100)
    assert lines == [
        "⠋ Booting the nodes  20 s",
        "  ⠋ control-plane  boot  waiting for SSH; last seen: no SSH greeting within 5 s" + TEN,
        "  ✓ worker         boot  booted" + " " * 65 + "5 s",
        "  waiting for the switch",
        "  Copying  ━━━━━━━━──────────────────────  3.0 of 12.0 MB",
        "  ━━━━━━━───────────────────────  22 %  20 s so far, about 1:10 left",
    ]


def test_on_a_very_wide_terminal_times_stay_near_their_rows(durations: Durations) -> None:
    board, run = a_board(durations)
    with run.events.whole_run("bootstrap up"), run.events.step(Step.BOOT, "Booting the nodes"):
        half_way(run.events, run)
        assert drawn(board, 300)[1:3] == drawn(board, 100)[1:3]


def test_a_narrow_terminal_leaves_the_phase_out(durations: Durations) -> None:
    board, run = a_board(durations)
    with run.events.whole_run("bootstrap up"), run.events.step(Step.BOOT, "Booting the nodes"):
        half_way(run.events, run)
        lines = drawn(board, 40)
    assert lines[:3] == [
        "⠋ Booting the nodes  20 s",
        "  ⠋ control-plane  waiting for…    10 s",
        "  ✓ worker         booted           5 s",
    ]
    assert lines[-1].endswith(" left")


@pytest.mark.parametrize("width", [1, 10, 20, 40, 64, 80, 300])
def test_no_line_is_wider_than_the_terminal(durations: Durations, width: int) -> None:
    board, run = a_board(durations)
    with run.events.whole_run("bootstrap up"), run.events.step(Step.BOOT, "启动 Booting" * 20):
        half_way(run.events, run)
        run.events.node("n" * 60, "x" * 500)
        run.events.progress("Copying" * 20, 3, None, Unit.MODULES)
        for now_s in (0, 20, 5000):
            lines = Drawing(width, 24).lines(board, now_s)
            assert all(line.cell_len <= max(1, width - 1) for line in lines)


def test_more_nodes_than_rows_are_counted(durations: Durations) -> None:
    board, run = a_board(durations)
    with run.events.whole_run("bootstrap up"), run.events.step(Step.BOOT, "Booting"):
        for number in range(30):
            run.events.node(f"worker{number}", "booted", is_done=number != 29)
        lines = drawn(board, 80, height=12)
    assert len(lines) == 8
    assert "worker29" in lines[5]
    assert lines[6] == "  and 25 more nodes, of which 25 are done"


def test_pieces_at_the_same_time_have_a_line_each_until_they_end(durations: Durations) -> None:
    board, run = a_board(durations)
    with run.events.step(Step.PREPARE_IMAGE, "Preparing"):
        run.events.progress("Compiling", 1, 9, Unit.PACKAGES)
        run.events.progress("Fetching", 7, 7, Unit.MODULES)
        assert [line.split()[0] for line in drawn(board, 80)[1:3]] == ["Compiling", "Fetching"]
        run.clock.now_s = 10
        run.events.progress("Copying", 1, 2, Unit.BYTES)
        assert [line.split()[0] for line in drawn(board, 80)[1:3]] == ["Compiling", "Copying"]
        run.clock.now_s = 25
        run.events.progress("Copying", 1, 2, Unit.BYTES)
        assert list(board.pieces) == ["Copying"]
    assert not board.pieces


def test_what_remains_of_a_failed_run_are_its_nodes(durations: Durations) -> None:
    board, run = a_board(durations)
    with contextlib.suppress(HostError), run.events.whole_run("bootstrap up"):
        with run.events.step(Step.BOOT, "Booting"):
            half_way(run.events, run)
        raise HostError("No.")
    lines = [line.plain for line in Drawing(80, 24).remains(board, 20)]
    assert [line.split()[:2] for line in lines] == [["✗", "control-plane"], ["✓", "worker"]]


def test_the_share_never_falls(durations: Durations) -> None:
    board, run = a_board(durations)
    with run.events.whole_run("bootstrap up"):
        run.step(Step.CREATE_MACHINES, 10)
        before = board.share(10)
        with run.events.step(Step.PREPARE_IMAGE, "Preparing"):
            run.events.progress("Compiling", 0, 100, Unit.PACKAGES)
            run.clock.now_s += 10
            run.events.progress("Compiling", 1, 100, Unit.PACKAGES)
            assert board.share(20) == before == 0.1


def test_a_first_run_says_how_long_it_has_taken(tmp_path: Path) -> None:
    board, run = a_board(Durations(tmp_path / "none.json"))
    with run.events.whole_run("bootstrap up"), run.events.step(Step.BOOT, "Booting"):
        assert drawn(board, 80, 75)[-1] == "  1:15 so far"


def test_a_run_that_is_late_says_so_and_is_not_done(durations: Durations) -> None:
    board, run = a_board(durations)
    with run.events.whole_run("bootstrap up"), run.events.step(Step.JOIN, "Joining"):
        assert drawn(board, 80, 5000)[-1].endswith("99 %  1:23:20 so far, longer than usual")


def test_a_terminal_without_unicode_gets_ascii(durations: Durations) -> None:
    board, run = a_board(durations)
    with run.events.whole_run("bootstrap up"), run.events.step(Step.BOOT, "Booting"):
        run.events.node("worker", "booted", is_done=True)
        lines = Drawing(80, 24, ASCII).lines(board, 20)
        assert all(line.plain.isascii() for line in lines)
