"""Write the wheel of an installed distribution again, from its files."""

import base64
import hashlib
import zipfile
from importlib.metadata import Distribution
from pathlib import Path, PurePosixPath

#: What an installer adds beside the files of the wheel.
_INSTALLERS = ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json")


def write_wheel(distribution: Distribution, directory: Path) -> Path:
    """Write the wheel of a pure Python distribution, and return its path.

    Scripts are not in it: who installs it makes them anew.
    """
    name, version = distribution.name.replace("-", "_"), distribution.version
    wheel = directory / f"{name}-{version}-{_tag(distribution)}.whl"
    record = f"{name}-{version}.dist-info/RECORD"
    lines = []
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(distribution.files or (), key=str):
            if _is_of_wheel(file):
                data = Path(str(distribution.locate_file(file))).read_bytes()
                archive.writestr(str(file), data)
                lines.append(f"{file},sha256={_digest(data)},{len(data)}")
        archive.writestr(record, "\n".join([*lines, f"{record},,"]) + "\n")
    return wheel


def _is_of_wheel(file: PurePosixPath) -> bool:
    is_bytecode = "__pycache__" in file.parts
    is_installers = file.parent.suffix == ".dist-info" and file.name in _INSTALLERS
    return not (file.is_absolute() or ".." in file.parts or is_bytecode or is_installers)


def _tag(distribution: Distribution) -> str:
    lines = (distribution.read_text("WHEEL") or "").splitlines()
    return next(line.removeprefix("Tag: ") for line in lines if line.startswith("Tag: "))


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
