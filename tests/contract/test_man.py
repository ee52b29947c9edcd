"""The manual pages are right for groff and for mandoc, and say what the commands say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap.cli.describing import described, subcommands
from bootstrap.cli.group import cli
from bootstrap.cli.man import EXIT_STATUS
from bootstrap.errors import BootstrapError


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("man") / "man1"
    argv = [sys.executable, "-m", "bootstrap", "man", str(directory)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "86400"}
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == f"{len(list(directory.iterdir()))} pages are in '{directory}'.\n"
    return directory


def shown(page: Path) -> str:
    """Return a page as ``man`` shows it, which may complain about nothing."""
    argv = ["man", "--warnings", "--local-file", "--encoding=ascii", str(page)]
    environment = {**os.environ, "MANWIDTH": "1000", "MANPAGER": "cat", "GROFF_NO_SGR": "1"}
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env=environment)
    assert done.stderr == ""
    return " ".join(done.stdout.split())


def test_every_command_has_a_page_with_its_options(pages: Path) -> None:
    node = subcommands(cli)["node"]
    named = {path.name for path in pages.iterdir()}
    assert {f"bootstrap-node-{name}.1" for name in subcommands(node)} <= named
    text = shown(pages / "bootstrap-node-add.1")
    table = described(cli)["commands"]["node"]["commands"]["add"]
    assert f"bootstrap-node-add - {table['summary'].removesuffix('.')}" in text
    assert "SYNOPSIS bootstrap node add [OPTIONS] NAME" in text
    assert [one["names"] for one in table["options"] if one["names"][-1] not in text] == []
    assert "SEE ALSO bootstrap-node(1)" in text


def test_the_first_page_lists_commands_and_exit_codes(pages: Path) -> None:
    text = shown(pages / "bootstrap.1")
    assert [name for name in subcommands(cli) if f"bootstrap-{name}(1)" not in text] == []
    assert "bootstrap 0.1.0 1970-01-02 bootstrap(1)" in text
    codes = {one.exit_code for one in every_error(BootstrapError)}
    assert codes < set(EXIT_STATUS)
    assert all(f"{code} {words}" in text for code, words in EXIT_STATUS.items())


def test_mandoc_and_groff_have_nothing_to_say(pages: Path) -> None:
    argv = ["mandoc", "-T", "lint", "-W", "warning", *sorted(map(str, pages.iterdir()))]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert all(map(shown, pages.iterdir()))


def every_error(kind: type[BootstrapError]) -> set[type[BootstrapError]]:
    return {kind}.union(*map(every_error, kind.__subclasses__()))
