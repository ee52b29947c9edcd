"""Fetch Debian packages with mmdebstrap, in memory and in namespaces: a kill leaves nothing."""

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap.adapters.debian import namespace
from bootstrap.adapters.debian.apt_output import AptOutput, Report
from bootstrap.adapters.debian.mirror import apt_settings, debian_mirror
from bootstrap.adapters.files import write_atomically
from bootstrap.adapters.process import stream
from bootstrap.errors import HostError

_ACTION = "fetch Debian packages"
_TIMEOUT_S = 1800
_HINT = "sudo apt-get install mmdebstrap debian-archive-keyring"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSpec:
    """What the worker fetches, and the name of its archive."""

    tar: str
    suite: str
    options: Sequence[str]
    sources: str
    apt_settings: str


def fetch_packages(  # noqa: PLR0913 - what is fetched, and where progress goes
    tar: Path,
    *,
    suite: str,
    packages: Sequence[str],
    options: Sequence[str],
    log: Path,
    report: Report = lambda *_: None,
) -> None:
    """Write the archive ``tar`` from the mirror of this host; ``options`` are mmdebstrap's.

    ``report`` gets the progress.

    The caller removes what a kill leaves beside ``tar``, in a directory that is private.

    :raises HostError: if the host has no mirror, lacks a program or refuses namespaces.
    """
    if shutil.which("mmdebstrap") is None:
        message = "Could not fetch Debian packages: the program 'mmdebstrap' is not installed."
        raise HostError(message, hint=_HINT)
    spec = FetchSpec(
        tar=tar.name,
        suite=suite,
        options=[f"--include={','.join(packages)}", *options],
        sources=debian_mirror().sources(suite),
        apt_settings=apt_settings(),
    )
    namespace.run_worker(
        "bootstrap.adapters.debian.packages",
        spec,
        directory=tar.parent,
        action=_ACTION,
        log=log,
        line=AptOutput(report).take,
    )


def _fetch(spec: FetchSpec, scratch: Path, output: Path) -> None:
    """Run mmdebstrap in memory."""
    settings, sources = scratch / "apt.conf", scratch / "sources.list"
    sources.write_text(spec.sources)
    write_atomically(settings, spec.apt_settings + 'Acquire::Languages "none";\n')
    # A user namespace may neither make devices nor mount a /sys of its own.
    fixed = ["--mode=root", "--format=tar", "--skip=output/dev", "--skip=chroot/mount/sys"]
    # It says what apt and dpkg do, which is where progress is read.
    options = [*fixed, "--verbose", f"--aptopt={settings}", *spec.options]
    stream(
        ["mmdebstrap", *options, spec.suite, output / spec.tar, sources],
        action=_ACTION,
        log=None,
        line=lambda line: print(line, flush=True),  # noqa: T201 - the worker's output
        timeout_s=_TIMEOUT_S,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TMPDIR": str(scratch)},
    )


if __name__ == "__main__":
    sys.exit(namespace.worker_main(_fetch, FetchSpec))
