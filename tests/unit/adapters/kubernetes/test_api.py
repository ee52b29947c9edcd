"""The official client is loaded only by a command that asks the API server."""

import sys
from pathlib import Path

from bootstrap.adapters import process


def test_importing_the_adapter_does_not_import_the_official_client() -> None:
    """Half a second that ``bootstrap list`` need not pay."""
    program = (
        "import sys, bootstrap.cli, bootstrap.adapters.kubernetes.api\n"
        "print(sorted({'kubernetes', 'urllib3'} & set(sys.modules)))"
    )
    done = process.run(
        [sys.executable, "-c", program],
        action="import the adapter",
        timeout_s=60,
        cwd=Path(__file__).parents[4],
    )
    assert done.stdout.strip() == "[]"
