"""Print the seed of the run."""

import pytest

from tests.faults.trials import tell


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    tell(terminalreporter)
