"""What a reader types, one line after the other, runs as the page says."""

import re
from pathlib import Path

import pytest

from bootstrap.config.flags import Flags
from bootstrap.config.load import load_spec
from tests.commands import DOCUMENTS, ROOT, Told, in_documents
from tests.fakes.archives import an_image_named
from tests.ours import ours_of, why_not_run
from tests.unit.cli.conftest import fake_command_line, write_consoles

APP = "example.test/hello:1"
#: Runs here, where there is an image.
IMAGES = (["image", "load"], ["image", "unload"])


def _stories() -> dict[str, list[Told]]:
    found: dict[str, list[Told]] = {}
    for told in in_documents():
        if told.story:
            found.setdefault(told.story, []).append(told)
    return found


STORIES = {story: lines for story, lines in _stories().items() if ours_of(lines)}


@pytest.mark.parametrize("story", STORIES)
def test_a_document_runs_from_top_to_bottom(
    story: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each page of the tutorial and the how-to guides, and each block of the others.

    One that does not begin with `up` is about a cluster that exists.
    """
    monkeypatch.chdir(tmp_path)
    line = fake_command_line()
    line.world.archives.sources = dict.fromkeys(("app.tar", APP), (an_image_named(APP),))
    [(_, first), *_] = ours_of(STORIES[story])
    if first[:1] != ["up"]:
        line.done("up", "demo")
    for told in STORIES[story]:
        for name, value in re.findall(r"^export (\w+)=([^$]+)$", told.line):
            monkeypatch.setenv(name, str(Path(value).expanduser()))
        for _, words in ours_of([told]):
            if "--console" in words:
                write_consoles(line, tmp_path)
            if words[:2] in IMAGES or not why_not_run(words):
                result = line.run(*words)
                assert result.exit_code == 0, f"{told.place}: {result.stderr}"


def _cluster_files() -> list[tuple[str, str]]:
    return [
        (path.relative_to(ROOT).as_posix(), block)
        for path in DOCUMENTS
        for block in re.findall(r"^```yaml\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE)
        if "kind: Cluster" in block
    ]


def test_the_readme_shows_a_cluster_file() -> None:
    assert "README.md" in {place for place, _ in _cluster_files()}


@pytest.mark.parametrize(("place", "text"), _cluster_files())
def test_a_cluster_file_that_is_shown_is_one(place: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "cluster.yaml"
    file.write_text(text)
    assert load_spec(file, Flags()).node_groups, place
