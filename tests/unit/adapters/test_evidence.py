"""An archive of evidence is private, cannot write on a terminal, and holds no secret."""

import tarfile
from pathlib import Path

import pytest

from bootstrap.adapters.evidence import SavedEvidence
from bootstrap.adapters.trust.store import TrustStore
from bootstrap.model.names import ClusterName
from tests.canaries import CANARIES

DEMO = ClusterName("demo")


def texts(archive: Path) -> dict[str, str]:
    """Return the text of each file by its path, without the directory that holds them all."""
    with tarfile.open(archive) as opened:
        return {
            entry.name.partition("/")[2]: found.read().decode()
            for entry in opened
            if (found := opened.extractfile(entry))
        }


def test_texts_are_saved_without_control_codes(tmp_path: Path) -> None:
    """H-09, SEC-15."""
    said = {"nodes/a/console.txt": "boot\x1b]0;title\x07\x1b[31m end\n", "manifest.json": "{}"}
    archive = SavedEvidence(tmp_path).save(DEMO, said)
    assert texts(archive) == {
        "nodes/a/console.txt": "boot]0;title end\n",
        "manifest.json": "{}",
    }
    with tarfile.open(archive) as opened:
        (top,) = {name.partition("/")[0] for name in opened.getnames()}
    assert archive.name == f"{top}.tar.gz"


@pytest.mark.parametrize("own", [True, False])
def test_evidence_is_private(tmp_path: Path, own: bool) -> None:  # noqa: FBT001 - where it goes
    """G-26."""
    target = None if own else tmp_path / "all.tar.gz"
    archive = SavedEvidence(tmp_path / "state").save(DEMO, {"a": "b"}, target=target)
    assert archive.stat().st_mode & 0o777 == 0o600
    with tarfile.open(archive) as opened:
        assert {entry.mode for entry in opened} == {0o600}


def test_no_key_of_the_cluster_is_in_it_however_a_node_quotes_it(tmp_path: Path) -> None:
    """H-15, H-16: in one line, cut, in JSON or within other text."""
    store = TrustStore(tmp_path / "state" / "demo")
    key = store.ensure_encryption_key()
    saved = store.saved(["worker"])
    quoted = {name.replace("/", "-"): text for name, text in saved.items()}
    for name, text in saved.items():
        body = text.replace("\\n", "\n").splitlines()
        quoted[f"line-{name}"] = f"kubelet: {body[len(body) // 2]} is wrong"
        quoted[f"cut-{name}"] = "\n".join(f"| {line}" for line in body[1:])
    quoted["etcd"] = f'secret: "{key}"'
    archive = SavedEvidence(tmp_path / "state").save(DEMO, quoted)
    assert len(texts(archive)) > len(saved)
    assert CANARIES.needles
    assert CANARIES.leaks([archive.parent]) == []
