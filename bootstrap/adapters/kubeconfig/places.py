"""Find the user's kubeconfig files by kubectl's rules (clientcmd's PathOptions)."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path


def kubeconfig_files(environ: Mapping[str, str]) -> list[Path]:
    """List the files that kubectl reads, the one that wins first."""
    named = [
        Path(name).absolute() for name in environ.get("KUBECONFIG", "").split(os.pathsep) if name
    ]
    return list(dict.fromkeys(named)) or [home_file(environ)]


def home_file(environ: Mapping[str, str]) -> Path:
    """Return the file that kubectl reads without KUBECONFIG."""
    return Path(environ.get("HOME") or Path.home()).absolute() / ".kube" / "config"


def file_for_new_entries(files: Sequence[Path]) -> Path:
    """Return where a new entry goes: the first file that exists, or else the last."""
    return next((file for file in files if file.exists()), files[-1])
