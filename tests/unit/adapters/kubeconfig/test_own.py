import os
from pathlib import Path

import yaml

from bootstrap.adapters.kubeconfig import write_own
from bootstrap.model.kubeconfig import build_kubeconfig
from bootstrap.model.names import ClusterName

DOCUMENT = build_kubeconfig(ClusterName("demo"), "https://127.0.0.1:6443", "ca", "crt", "key")


def test_the_own_file_is_private_whatever_the_umask_is(tmp_path: Path) -> None:
    """G-26, SEC-29."""
    path, before = tmp_path / "kubeconfig", os.umask(0)
    try:
        assert write_own(path, DOCUMENT)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert yaml.safe_load(path.read_text()) == DOCUMENT


def test_writing_the_same_again_changes_nothing(tmp_path: Path) -> None:
    write_own(tmp_path / "kubeconfig", DOCUMENT)
    assert not write_own(tmp_path / "kubeconfig", DOCUMENT)
