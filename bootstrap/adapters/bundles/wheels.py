"""Make the wheels of this tool and of all that it runs with, at the versions that run now."""

import json
import shlex
import sys
import tempfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from bootstrap.adapters.bundles.own_wheel import write_wheel
from bootstrap.adapters.process import stream
from bootstrap.errors import HostError
from bootstrap.ports import Events

_NAME = "bootstrap"
#: libvirt's module is compiled, on a slow host for minutes.
_TIMEOUT_S = 1800


def make_wheels(directory: Path, log: Path, events: Events) -> None:
    """Have pip make the wheels in ``directory``; its output goes to ``log``.

    :raises BootstrapError: if pip is missing, or a package cannot be had.
    """
    events.note("Making the wheels of this tool")
    with tempfile.TemporaryDirectory(dir=directory.parent) as work:
        constraints = Path(work) / "constraints.txt"
        constraints.write_text("\n".join(_installed(metadata.distributions())) + "\n")
        stream(
            [
                *(sys.executable, "-m", "pip", "wheel", "--disable-pip-version-check"),
                *("--no-input", "--wheel-dir", str(directory), "--constraint", str(constraints)),
                str(_own(Path(work))),
            ],
            action="make the wheels of this tool",
            log=log,
            line=lambda _: None,
            timeout_s=_TIMEOUT_S,
            hint=f"less {shlex.quote(str(log))}",
        )


def _installed(found: Iterable[metadata.Distribution]) -> list[str]:
    """List what is installed besides this tool, as pip's constraints."""
    names = {one.name: one.version for one in found if one.name != _NAME}
    return sorted(f"{name}=={version}" for name, version in names.items())


def _own(work: Path) -> Path:
    """Return what pip makes our own wheel from: the checkout that runs, or what is installed.

    :raises HostError: if this tool is not installed at all.
    """
    try:
        own = metadata.distribution(_NAME)
    except metadata.PackageNotFoundError as error:
        raise HostError(
            "This tool is not installed, so there is no wheel of it.", hint="bootstrap version"
        ) from error
    origin = json.loads(own.read_text("direct_url.json") or "{}")
    if origin.get("dir_info", {}).get("editable"):
        return Path(url2pathname(urlsplit(origin["url"]).path))
    return write_wheel(own, work)
