"""`plan --picture` and `status --picture`."""

from pathlib import Path

import pytest

from bootstrap.model.cluster import DomainState
from tests.markup import Page, read_svg, texts_of
from tests.unit.cli.conftest import FakeCommandLine as CommandLine


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_plan_is_drawn_beside_its_text(line: CommandLine, here: Path) -> None:
    shown = line.done("plan", "demo", "--workers", "2")
    assert line.done("plan", "demo", "--workers", "2", "--picture", "p.svg") == shown
    text = texts_of(read_svg((here / "p.svg").read_text()))
    assert text.count("would be made") >= 4
    assert line.world.journal.changes == []


def test_a_status_is_drawn_with_the_state_of_each_node(demo: CommandLine, here: Path) -> None:
    shown = demo.done("status", "demo", "-o", "json")
    assert demo.done("status", "demo", "-o", "json", "--picture", "s.html") == shown
    page = Page((here / "s.html").read_text())
    assert page.texts.count("running; Ready") >= 2
    assert "running; API server: ok" in page.texts


def test_a_sick_cluster_is_drawn_and_the_exit_code_stays(demo: CommandLine, here: Path) -> None:
    for domain in demo.world.hypervisor.domains_by_uuid.values():
        if domain.name == "demo-worker":
            domain.state = DomainState.CRASHED
    result = demo.run("status", "demo", "--exit-code", "--picture", "s.svg")
    assert result.exit_code == 8
    assert "crashed" in texts_of(read_svg((here / "s.svg").read_text()))


@pytest.mark.parametrize("state", [DomainState.SHUT_OFF, DomainState.PAUSED])
def test_a_cluster_that_does_not_answer_is_drawn(
    demo: CommandLine, here: Path, state: DomainState
) -> None:
    for domain in demo.world.hypervisor.domains_by_uuid.values():
        domain.state = state
    demo.done("status", "demo", "--picture", "s.svg")
    text = texts_of(read_svg((here / "s.svg").read_text()))
    assert text.count(state.value) >= 3
    assert "its machine does not run" in text


@pytest.mark.parametrize("command", ["plan", "status"])
@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("x.png", "hint: bootstrap {0} --picture {1}.svg"),
        ("svg", "does not say which format"),
        ("no/such/x.svg", "Could not write the picture to file 'no/such/x.svg'."),
    ],
)
def test_a_file_that_cannot_be_drawn_is_wrong_use(
    demo: CommandLine, here: Path, command: str, file: str, said: str
) -> None:
    words = {"plan": "plan", "status": "status demo"}[command]
    error = demo.failed(2, command, "demo", "--picture", file)
    assert said.format(words, command) in error
    assert list(here.iterdir()) == []
