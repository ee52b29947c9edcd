"""Fetch Debian packages with mmdebstrap, in memory and in namespaces: a kill leaves nothing."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bootstrap.adapters.debian import namespace
from bootstrap.adapters.debian.mirror import apt_settings, debian_mirror
from bootstrap.adapters.files import write_atomically
from bootstrap.adapters.process import run
from bootstrap.errors import BootstrapError, HostError

_TIMEOUT_S = 1800
_HINT = "sudo apt-get install mmdebstrap debian-archive-keyring"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the worker fetches."""

    tar: str
    #: An empty directory that it covers with memory.
    scratch: str
    suite: str
    options: Sequence[str]
    sources: str
    apt_settings: str


def fetch_packages(  # noqa: PLR0913 - what is fetched, and who is told
    tar: Path,
    *,
    suite: str,
    packages: Sequence[str],
    options: Sequence[str],
    log: Path,
    line: Callable[[str], None],
) -> None:
    """Write the archive ``tar`` from the mirror of this host; ``options`` are mmdebstrap's.

    The caller removes what a kill leaves beside ``tar``, in a directory that is private.

    :raises HostError: if the host has no mirror, lacks a program or refuses namespaces.
    """
    if shutil.which("mmdebstrap") is None:
        message = "Could not fetch Debian packages: the program 'mmdebstrap' is not installed."
        raise HostError(message, hint=_HINT)
    namespace.check(uid=os.getuid())
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=tar.parent) as work:
        scratch, file = Path(work, "scratch"), Path(work, "order.json")
        scratch.mkdir()
        order = Order(
            tar=str(tar),
            scratch=str(scratch),
            suite=suite,
            options=[f"--include={','.join(packages)}", *options],
            sources=debian_mirror().sources(suite),
            apt_settings=apt_settings(),
        )
        # Private: a mirror's address may hold a password.
        write_atomically(file, json.dumps(asdict(order)))
        namespace.run_worker(
            "bootstrap.adapters.debian.packages",
            file,
            action="fetch Debian packages",
            log=log,
            line=line,
        )


def fetch(order: Order) -> None:
    """Run mmdebstrap in memory."""
    scratch = Path(order.scratch)
    namespace.mount_scratch(scratch)
    settings = scratch / "apt.conf"
    write_atomically(settings, order.apt_settings + 'Acquire::Languages "none";\n')
    # A user namespace may neither make devices nor mount a /sys of its own.
    fixed = ["--mode=root", "--format=tar", "--skip=output/dev", "--skip=chroot/mount/sys"]
    done = run(
        ["mmdebstrap", *fixed, f"--aptopt={settings}", *order.options, order.suite, order.tar, "-"],
        action="fetch Debian packages",
        timeout_s=_TIMEOUT_S,
        stdin=order.sources.encode(),
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TMPDIR": str(scratch)},
    )
    print(done.stderr, flush=True)  # noqa: T201 - the worker's output


def main(arguments: list[str]) -> int:
    """Fetch what the file named by the only argument says."""
    order = Order(**json.loads(Path(arguments[0]).read_text()))
    try:
        fetch(order)
    except BootstrapError as error:
        print(f"{error.message}\n{error.details}", flush=True)  # noqa: T201 - likewise
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
