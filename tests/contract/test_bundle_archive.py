"""A bundle from elsewhere: whatever it holds, nothing of it gets a name that others know."""

import gzip
import hashlib
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.errors import HostError, StateError
from bootstrap.workflow.bundling import use_bundle
from tests.contract.test_bundles import Ports, RealHost, file, here, there
from tests.tars import Members, members_of, write_tar

__all__ = ["file", "here", "there"]

Change = Callable[[Members], object]


def refused(file: Path, there: RealHost, match: str = "not a whole bundle") -> str:
    """Use a file that must be refused without a trace; return why it was."""
    with pytest.raises(StateError, match=match) as caught:
        use_bundle(file, Ports(there))
    assert caught.value.exit_code == 9
    assert there.files() == {}
    assert not there.has_half()
    return caught.value.details


def renamed(name: str) -> Change:
    def change(members: Members) -> None:
        members[-1][0].name = name

    return change


def of_type(kind: bytes, target: str = "/etc/passwd") -> Change:
    def change(members: Members) -> None:
        members[-1][0].type, members[-1][0].linkname = kind, target
        members[-1][0].size = 0

    return change


def _longer(members: Members) -> None:
    members[-1] = (members[-1][0], members[-1][1] + b"more")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (renamed("../evil"), "It holds '../evil'"),
        (renamed("/tmp/evil"), "It holds '/tmp/evil'"),  # noqa: S108 - a hostile name
        (renamed("images/../../evil"), "It holds 'images/../../evil'"),
        (renamed("README.md"), "It holds 'README.md'"),
        (of_type(tarfile.SYMTYPE), "It holds 'images/"),
        (of_type(tarfile.LNKTYPE, "README.md"), "It holds 'images/"),
        (of_type(tarfile.CHRTYPE), "It holds 'images/"),
        (of_type(tarfile.FIFOTYPE), "It holds 'images/"),
        (of_type(tarfile.DIRTYPE), "It holds 'images/"),
        (lambda members: members.append(members[1]), "It holds 'README.md'"),
        (lambda members: members.pop(), "It lacks images/"),
        (lambda members: members.pop(1), "It lacks README.md"),
        (lambda members: members.pop(0), "does not begin with a manifest"),
        (lambda members: members.reverse(), "does not begin with a manifest"),
        (_longer, "bytes and not"),
    ],
)
def test_an_archive_with_anything_else_is_refused(
    file: Path, there: RealHost, tmp_path: Path, change: Change, said: str
) -> None:
    """I-15, SEC-17."""
    members = members_of(file)
    change(members)
    write_tar(file, members)
    assert said in refused(file, there)
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("share", [0, 1, 20, 50, 80])
def test_a_file_that_is_cut_off_is_refused(file: Path, there: RealHost, share: int) -> None:
    """I-01, I-15."""
    data = file.read_bytes()
    file.write_bytes(data[: len(data) * share // 100])
    refused(file, there)


def test_a_packed_archive_is_refused(file: Path, there: RealHost) -> None:
    """I-15: a few bytes could become any number."""
    file.write_bytes(gzip.compress(file.read_bytes()))
    refused(file, there)


@pytest.mark.parametrize(
    "evil",
    [
        {"files": {}},
        {"files": {"../evil": {"size_bytes": 1, "sha256": "0" * 64}}},
        {"+files": {"../evil": {"size_bytes": 1, "sha256": "0" * 64}}},
        {"+files": {"wheels/../evil": {"size_bytes": 1, "sha256": "0" * 64}}},
        {"+files": {"wheels/..": {"size_bytes": 1, "sha256": "0" * 64}}},
        {"+files": {"images/0123456789abcdef/disk.raw": {"size_bytes": 1, "sha256": "0" * 64}}},
        {"+files": {"README.md": {"size_bytes": -1, "sha256": "0" * 64}}},
        {"+files": {"README.md": {"size_bytes": 1, "sha256": ""}}},
        {"+keys": {"images": "../../evil"}},
        {"+keys": {"images": ""}},
        {"keys": {}},
        {"layout": "1"},
        {"layout": None},
    ],
)
def test_a_manifest_that_leads_elsewhere_is_refused(
    file: Path, there: RealHost, evil: dict[str, object]
) -> None:
    """SEC-11, SEC-17."""
    members = members_of(file)
    text = json.loads(members[0][1])
    for name, value in evil.items():
        if name.startswith("+") and isinstance(value, dict):
            text[name[1:]] |= value
        else:
            text[name] = value
    write_tar(file, [(members[0][0], json.dumps(text).encode()), *members[1:]])
    assert "Its manifest is wrong" in refused(file, there)


def test_a_bundle_that_is_too_large_for_this_host_is_refused_before_it_is_read(
    file: Path, there: RealHost
) -> None:
    """I-14, I-15: also one that only says so."""
    members = members_of(file)
    text = json.loads(members[0][1])
    (disk,) = (name for name in text["files"] if name.endswith("disk.raw"))
    text["files"][disk]["size_bytes"] = 1 << 60
    write_tar(file, [(members[0][0], json.dumps(text).encode()), *members[1:]])
    with pytest.raises(HostError, match="too little room") as caught:
        use_bundle(file, Ports(there))
    assert caught.value.exit_code == 3
    assert there.files() == {}
    assert not there.has_half()


@pytest.mark.parametrize("text", [b"{}", b"[]", b"x", b"null", b"[" * 100_000])
def test_a_manifest_that_is_none_is_refused(file: Path, there: RealHost, text: bytes) -> None:
    members = members_of(file)
    write_tar(file, [(members[0][0], text), *members[1:]])
    refused(file, there)


def test_a_bundle_that_says_of_itself_what_is_not_true_is_refused_before_the_image_is_there(
    file: Path, there: RealHost
) -> None:
    """I-15: its manifest fits its files, but the image's own note does not."""
    members = members_of(file)
    at = next(i for i, (one, _) in enumerate(members) if one.name.endswith("disk.raw"))
    member, data = members[at]
    members[at] = (member, data.upper())
    manifest = json.loads(members[0][1])
    manifest["files"][member.name]["sha256"] = hashlib.sha256(data.upper()).hexdigest()
    write_tar(file, [(members[0][0], json.dumps(manifest).encode()), *members[1:]])
    with pytest.raises(StateError, match="not what was built"):
        use_bundle(file, Ports(there))
    assert not there.images.list()
    assert not there.has_half()
