"""`timeline`: which run, where to, and what it says of a run."""

import json
from pathlib import Path

import pytest
import yaml

from bootstrap.errors import HostError
from tests.markup import Page, read_svg, texts_of
from tests.unit.cli.conftest import FakeCommandLine as CommandLine


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def last_run(line: CommandLine) -> str:
    return line.done("timeline", "demo", "--list", "-o", "name").splitlines()[0]


def test_the_last_run_goes_into_a_page_here_whose_name_is_printed(
    demo: CommandLine, here: Path
) -> None:
    name = f"demo-{last_run(demo)}.html"
    assert demo.done("timeline", "demo") == f"{name}\n"
    assert [path.name for path in here.iterdir()] == [name]
    assert "Booting the nodes" in "".join(Page((here / name).read_text()).texts)


@pytest.mark.parametrize(
    ("words", "name"),
    [(("-O", "a.svg"), "a.svg"), (("-O", "a.txt", "--format", "svg"), "a.txt")],
)
def test_a_file_of_the_users_choice_is_written_over(
    demo: CommandLine, here: Path, words: tuple[str, ...], name: str
) -> None:
    (here / name).write_text("before")
    assert demo.done("timeline", "demo", *words) == f"{name}\n"
    assert "bootstrap up" in texts_of(read_svg((here / name).read_text()))


def test_on_stdout_there_is_the_picture_and_nothing_else(demo: CommandLine, here: Path) -> None:
    assert Page(demo.done("timeline", "demo", "-O", "-")).texts
    assert read_svg(demo.done("timeline", "demo", "--format", "svg", "-O", "-", "-o", "json"))
    assert list(here.iterdir()) == []


def test_runs_are_listed_the_newest_first_with_what_they_did(demo: CommandLine) -> None:
    demo.done("stop", "demo")
    rows = json.loads(demo.done("timeline", "demo", "--list", "-o", "json"))
    assert [(row["command"], row["outcome"]) for row in rows] == [
        ("bootstrap stop", "finished"),
        ("bootstrap up", "finished"),
    ]
    assert yaml.safe_load(demo.done("timeline", "demo", "--list", "-o", "yaml")) == rows
    text = demo.done("timeline", "demo", "--list").splitlines()
    assert text[0].split() == ["RUN", "COMMAND", "BEGAN", "SECONDS", "OUTCOME"]
    assert [row.split()[0] for row in text[1:]] == [row["run"] for row in rows]


def test_a_run_of_the_users_choice(demo: CommandLine) -> None:
    first = last_run(demo)
    demo.done("stop", "demo")
    assert demo.done("timeline", "demo", "--run", first) == f"demo-{first}.html\n"
    assert "stop" in demo.done("timeline", "demo", "-O", "-")


def test_a_run_as_data_has_its_steps_compared_with_the_run_before(demo: CommandLine) -> None:
    first = last_run(demo)
    demo.done("up", "demo")
    data = json.loads(demo.done("timeline", "demo", "-O", "x.svg", "-o", "json"))
    assert (data["name"], data["file"], data["comparedWith"]) == ("demo", "x.svg", first)
    assert {"step", "seconds", "secondsBefore", "change"} == set(data["steps"][0])
    assert "boot" in [step["step"] for step in data["steps"]]
    assert all({"node", "what", "fromSecond", "seconds"} == set(it) for it in data["criticalPath"])


def test_a_run_that_failed_is_shown_with_its_reason(line: CommandLine) -> None:
    line.done("up", "demo")
    line.world.journal.failures["host.check"] = HostError("No disk <b>.")
    line.failed(3, "up", "demo")
    data = json.loads(line.done("timeline", "demo", "-o", "json", "-O", "x.html"))
    assert data["outcome"] == "failed"
    assert "No disk <b>." in "".join(Page(Path("x.html").read_text()).texts)


def test_a_removed_cluster_has_no_runs_and_the_hint_keeps_some(
    demo: CommandLine, here: Path
) -> None:
    demo.done("down", "demo")
    for words in (("timeline", "demo"), ("timeline", "demo", "--list")):
        error = demo.failed(6, *words)
        assert "No run on cluster 'demo' is kept on this host." in error
        assert "`down` removes it" in error
        assert "hint: bootstrap up demo --events events.ndjson" in error
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--run", "20300101"), "hint: bootstrap timeline demo --list"),
        (("--run", "../x"), "No run '../x' on cluster 'demo' is kept."),
        (("-O", "a.png"), "hint: bootstrap timeline demo --format svg -O picture"),
        (("-O", "picture"), "does not say which format"),
        (("-O", "no/such/a.svg"), "Could not write the picture to file 'no/such/a.svg'."),
        (("--format", "png"), "'png' is not one of 'html', 'svg'"),
    ],
)
def test_what_is_typed_wrongly_writes_nothing(
    demo: CommandLine, here: Path, words: tuple[str, ...], said: str
) -> None:
    assert said in demo.failed(2, "timeline", "demo", *words)
    assert list(here.iterdir()) == []


def test_neither_libvirt_nor_the_api_server_is_asked(demo: CommandLine) -> None:
    demo.world.journal.clear()
    demo.done("timeline", "demo")
    assert demo.world.journal.calls == []
