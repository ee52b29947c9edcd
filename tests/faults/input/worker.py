"""Run `bootstrap up -f FILE` again and again in one process; a child of its tests.

Each request is a line with a path; each answer is a line of JSON.
"""

import json
import resource
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner

from bootstrap.cli import wiring
from bootstrap.cli.group import cli
from bootstrap.errors import UsageError
from bootstrap.model.names import ClusterName

_ADDRESS_SPACE = 1 << 30
_MOST_CPU_S = 3600
#: What the command line raises here in place of going on with a file that is right.
TAKEN = "The file was taken."


def _go_no_further(uri: str | None = None, cluster: ClusterName | None = None) -> wiring.Site:
    del uri, cluster
    raise UsageError(TAKEN)


def run(path: str) -> Mapping[str, object]:
    """Run the command once and tell how it ended and what it took."""
    began = time.process_time()
    result = CliRunner().invoke(cli, ["up", "-f", path], prog_name="bootstrap")
    error = result.exception
    failed = error is not None and not isinstance(error, SystemExit)
    return {
        "exit": result.exit_code,
        "stderr": result.stderr,
        "stdout": result.stdout,
        "traceback": "".join(traceback.format_exception(error)) if failed else "",
        "cpu_s": time.process_time() - began,
        "rss_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "libvirt": "libvirt" in sys.modules,
    }


def main() -> None:
    """Answer requests until there are no more."""
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_CPU_S, _MOST_CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    wiring.find_site = _go_no_further
    for line in sys.stdin:
        answer = run(str(Path(line.rstrip("\n"))))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
