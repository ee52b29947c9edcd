"""The whole command line on replaced ports, in this process or in a child."""

import re
from dataclasses import dataclass

from click.testing import CliRunner, Result

from bootstrap.cli.group import cli
from bootstrap.composition import Composition
from tests.commands import BEGINS


@dataclass
class CommandLine:
    """Runs commands in this process, on the ports that the composition builds."""

    composition: Composition

    def run(self, *words: str) -> Result:
        """Run one command; an exception that is no error of ours is raised."""
        result = CliRunner().invoke(cli, words, prog_name="bootstrap", obj=self.composition)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        hints = re.findall(r"^hint: (.+)$", result.stderr, re.MULTILINE)
        assert all(map(BEGINS.match, hints)), f"unknown to tests/commands.py: {hints}"
        return result

    def done(self, *words: str) -> str:
        """Run a command that must succeed, and return its stdout."""
        result = self.run(*words)
        assert result.exit_code == 0, result.stderr
        return result.stdout

    def failed(self, exit_code: int, *words: str) -> str:
        """Run a command that must fail without a result, and return its stderr."""
        result = self.run(*words)
        assert (result.exit_code, result.stdout) == (exit_code, "")
        return result.stderr
