"""Refuse work for which the host has too little disk space, before it begins."""

import shutil
from pathlib import Path

from bootstrap.errors import HostError

_MIB = 1 << 20


def refuse_full(directory: Path, needed_bytes: int, *, what: str, hint: str) -> None:
    """Refuse unless so many bytes are free for ``what``.

    :raises HostError: with both numbers.
    """
    free = shutil.disk_usage(directory).free
    if free < needed_bytes:
        raise HostError(
            f"There is too little room for {what}.",
            details=f"It needs up to {needed_bytes // _MIB} MiB, and {free // _MIB} MiB are free.",
            hint=hint,
        )
