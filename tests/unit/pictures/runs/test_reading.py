"""Events become bars: what takes time, where, and how it ends."""

from collections.abc import Sequence

from bootstrap.model.events import Status, Step
from bootstrap.pictures.runs.run import Outcome, Run
from tests.unit.pictures.conftest import a_run, a_step, a_whole_run


def test_a_real_run_has_its_steps_and_what_its_nodes_did(kept: Sequence[Run]) -> None:
    run = kept[0]
    assert (run.command, run.outcome, round(run.seconds)) == ("bootstrap up", Outcome.FINISHED, 314)
    assert [bar.step for bar in run.steps] == [
        *(Step.CHECK_HOST, Step.PREPARE_IMAGE, Step.CREATE_MACHINES, Step.BOOT),
        *(Step.CONTROL_PLANE, Step.JOIN, Step.VERIFY),
    ]
    assert run.nodes == ["control-plane", "worker"]
    assert [bar.title for bar in run.work_of("worker")] == [
        *("creating", "booting", "Write the node's files", "Check that they are written"),
        "Join the cluster",
    ]
    assert [remark.text for remark in run.remarks][-1].startswith("No KVM")


def test_what_a_node_did_ends_where_its_next_work_begins_or_it_is_done(
    kept: Sequence[Run],
) -> None:
    _creating, booting, writing, checking, joining = kept[0].work_of("worker")
    assert booting.end_s < writing.start_s
    assert (writing.end_s, checking.end_s) == (checking.start_s, joining.start_s)
    join = next(bar for bar in kept[0].steps if bar.step is Step.JOIN)
    assert 0 < join.end_s - joining.end_s < 1


def test_what_a_node_did_in_a_failed_step_ends_with_it(kept: Sequence[Run]) -> None:
    join = next(bar for bar in kept[2].steps if bar.step is Step.JOIN)
    assert kept[2].work_of("worker")[-1].end_s == join.end_s


def test_what_a_node_is_done_with_ends_there_and_nothing_follows() -> None:
    run = a_whole_run(
        (10, Step.BOOT, Status.STARTED, None, "Booting"),
        (10, Step.BOOT, Status.DONE, "other", "running"),
        (11, Step.BOOT, Status.RUNNING, "worker", "booting"),
        (30, Step.BOOT, Status.DONE, "worker", "booted"),
        (60, Step.BOOT, Status.FINISHED, None, "Booting"),
    )
    assert [(bar.node, bar.title, bar.start_s, bar.end_s) for bar in run.work] == [
        ("worker", "booting", 11, 30),
    ]


def test_a_node_may_go_on_when_the_step_has_ended_in_which_it_began() -> None:
    run = a_whole_run(
        (10, Step.BOOT, Status.STARTED, None, "Booting"),
        (11, Step.BOOT, Status.RUNNING, "worker", "booting"),
        (12, Step.BOOT, Status.RUNNING, "lost", "booting"),
        (30, Step.BOOT, Status.FINISHED, None, "Booting"),
        (40, Step.JOIN, Status.STARTED, None, "Joining"),
        (50, Step.JOIN, Status.DONE, "worker", "booted"),
        (60, Step.JOIN, Status.RUNNING, "lost", "joins"),
        (70, Step.JOIN, Status.FAILED, None, "No."),
    )
    assert [(bar.node, bar.start_s, bar.end_s) for bar in run.work] == [
        ("worker", 11, 50),
        ("lost", 12, 30),
        ("lost", 60, 70),
    ]


def test_a_failed_run_says_where_and_why(kept: Sequence[Run]) -> None:
    run = kept[-1]
    assert (run.outcome, run.failure) == (Outcome.FAILED, "The playbook failed on 1 of 2 nodes.")
    assert [bar.step for bar in run.steps if bar.failure is not None] == [Step.JOIN]


def test_a_run_that_was_killed_has_no_end_and_its_last_bars_are_open() -> None:
    run = a_run(
        (1, Step.BOOT, Status.STARTED, None, "Booting"),
        (2, Step.BOOT, Status.RUNNING, "worker", "booting"),
        (9, Step.BOOT, Status.COMMAND, None, "virsh list"),
    )
    assert (run.outcome, run.command, run.seconds) == (Outcome.UNFINISHED, "", 9)
    assert [(bar.end_s, bar.is_open) for bar in (*run.steps, *run.work)] == [(9, True), (9, True)]


def test_reports_of_a_wait_are_one_wait_that_began_before_the_first() -> None:
    run = a_whole_run(
        (10, Step.BOOT, Status.STARTED, None, "Booting"),
        (12, Step.BOOT, Status.RUNNING, "worker", "booting"),
        (30, Step.BOOT, Status.WAITING, "worker", "no answer"),
        (44, Step.BOOT, Status.WAITING, "worker", "still none"),
        (50, Step.BOOT, Status.RUNNING, "worker", "booted"),
        (60, Step.BOOT, Status.FINISHED, None, "Booting"),
    )
    (wait,) = run.work[0].waits
    assert (wait.start_s, wait.end_s, wait.detail) == (20, 50, "still none")
    assert run.work[1].waits == ()


def test_waits_that_are_far_apart_are_two_and_the_clusters_are_the_steps() -> None:
    run = a_whole_run(
        (0, Step.VERIFY, Status.STARTED, None, "Verifying"),
        (12, Step.VERIFY, Status.WAITING, None, "a"),
        (74, Step.VERIFY, Status.WAITING, None, "b"),
        (180, Step.VERIFY, Status.WAITING, None, "c"),
        (190, Step.VERIFY, Status.FINISHED, None, "Verifying"),
        end_s=200,
    )
    assert [(wait.start_s, wait.end_s, wait.detail) for wait in run.steps[0].waits] == [
        *((2, 94, "b"), (170, 190, "c")),
    ]


def test_a_wait_of_a_node_that_was_not_heard_of_is_a_bar_of_its_own() -> None:
    run = a_whole_run((20, None, Status.WAITING, "worker", "no answer"))
    assert [(bar.node, bar.title, bar.start_s) for bar in run.work] == [
        ("worker", "no answer", 20),
    ]


def test_a_step_in_a_step_is_deeper_and_ends_only_itself() -> None:
    run = a_whole_run(
        (10, Step.CREATE_MACHINES, Status.STARTED, None, "Creating"),
        *a_step(Step.REMOVE, 20, 30),
        (40, Step.CREATE_MACHINES, Status.FINISHED, None, "Creating"),
    )
    assert [(bar.step, bar.depth, bar.start_s, bar.end_s) for bar in run.steps] == [
        (Step.CREATE_MACHINES, 0, 10, 40),
        (Step.REMOVE, 1, 20, 30),
    ]


def test_an_end_without_a_start_and_a_clock_that_goes_back_do_no_harm() -> None:
    run = a_whole_run(
        (5, Step.JOIN, Status.FINISHED, None, "Joining"),
        (7, Step.BOOT, Status.FINISHED, None, "Booting"),
        (3, Step.BOOT, Status.STARTED, None, "Booting"),
    )
    assert [(bar.step, bar.seconds) for bar in run.steps] == [(Step.BOOT, 4)]
