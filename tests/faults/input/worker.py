"""Run `bootstrap up -f FILE` repeatedly in one child process of the tests.

Each request is a line with a path; each answer is a line of JSON.
"""

import json
import re
import resource
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner

from bootstrap.cli.group import cli
from bootstrap.composition import Composition
from bootstrap.errors import UsageError
from bootstrap.model.names import ClusterName
from bootstrap.model.site import Site

_ADDRESS_SPACE = 1 << 30
_MOST_CPU_S = 3600
#: The error that replaces the work on a valid file.
TAKEN = "The file was taken."


class _NoSite(Composition):
    def find_site(self, uri: str | None = None, cluster: ClusterName | None = None) -> Site:
        del uri, cluster
        raise UsageError(TAKEN)


def run(path: str) -> Mapping[str, object]:
    """Run the command once; report how it ended, its time and its memory."""
    began = time.process_time()
    result = CliRunner().invoke(cli, ["up", "-f", path], prog_name="bootstrap", obj=_NoSite())
    error = result.exception
    failed = error is not None and not isinstance(error, SystemExit)
    return {
        "exit": result.exit_code,
        "stderr": result.stderr,
        "stdout": result.stdout,
        "traceback": "".join(traceback.format_exception(error)) if failed else "",
        "cpu_s": time.process_time() - began,
        "rss_kib": _most_kib(),
        "libvirt": "libvirt" in sys.modules,
    }


def _most_kib() -> int:
    """Return the most memory since the start; ``ru_maxrss`` has the parent's before the exec."""
    (most,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(most)


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_CPU_S, _MOST_CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    for line in sys.stdin:
        answer = run(str(Path(line.rstrip("\n"))))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
