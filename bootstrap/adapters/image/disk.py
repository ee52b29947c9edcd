"""Turn a tree into a disk: one ext4 file system without a partition table."""

import os
import uuid
from pathlib import Path

from bootstrap.adapters.process import run

_TIMEOUT_S = 900
_MIB = 1 << 20
_BLOCK_BYTES = 4096
#: Free space of an image that is not enlarged; also ext4's own tables.
_SLACK_BYTES = 512 * _MIB
#: The size that a node can grow to while it runs, in blocks: 1 TiB.
_GROWS_TO_BLOCKS = (1 << 40) // _BLOCK_BYTES
#: Any fixed time: the same tree has to give the same file system.
_MADE_AT = "1000000000"


def write_disk(root: Path, disk: Path, *, identity: uuid.UUID) -> None:
    """Write the tree to the file ``disk``, sparse, which a node can grow online."""
    size = f"{(tree_bytes(root) * 21 // 20 + _SLACK_BYTES) // _MIB}M"
    extended = f"lazy_itable_init=1,hash_seed={identity},resize={_GROWS_TO_BLOCKS},root_owner=0:0"
    # Fewer inodes than usual: their tables are written when the disk grows.
    geometry = ["-b", str(_BLOCK_BYTES), "-i", "32768", "-m", "0", "-O", "resize_inode"]
    label = ["-L", "node-root", "-U", str(identity)]
    run(
        ["mkfs.ext4", "-q", "-F", *label, *geometry, "-E", extended, "-d", root, disk, size],
        action="write the node image's file system",
        timeout_s=_TIMEOUT_S,
        env={"PATH": os.environ["PATH"], "E2FSPROGS_FAKE_TIME": _MADE_AT},
        hint="sudo apt-get install e2fsprogs",
    )


def tree_bytes(root: Path) -> int:
    """Return the disk space of the tree's files; a file with two names counts once."""
    seen, total = set[int](), 0
    for directory, names, files in os.walk(root):
        for name in (*names, *files):
            status = Path(directory, name).lstat()
            if status.st_ino not in seen:
                seen.add(status.st_ino)
                total += -(-status.st_size // _BLOCK_BYTES) * _BLOCK_BYTES
    return total
