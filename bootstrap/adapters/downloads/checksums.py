"""Find the SHA-256 of a file in what projects publish beside their releases."""

import re

from bootstrap.adapters.downloads.failures import refused

_BARE = re.compile(r"[0-9a-f]{64}")
_LINE = re.compile(r"([0-9a-f]{64}) [ *](?:\S*/)?(\S+)")


def checksum_of(name: str, text: bytes, url: str) -> str:
    """Return the SHA-256 of the file ``name``.

    The text is one digest, or lines of a digest and a name; lines of other forms, as those of a
    signature, are skipped.

    :raises BootstrapError: if the text has no digest of this file, or two that differ.
    """
    plain = text.decode(errors="replace")
    if _BARE.fullmatch(plain.strip()):
        return plain.strip()
    lines = [line for each in plain.splitlines() if (line := _LINE.fullmatch(each.strip()))]
    found = {line[1] for line in lines if line[2] == name}
    if len(found) == 1:
        return found.pop()
    if not plain.strip():
        raise refused(url, "the file of checksums is empty")
    others = ", ".join(sorted({line[2] for line in lines})[:3]) or "no file at all"
    reason = "two different checksums" if found else "no checksum"
    raise refused(url, f"there is {reason} of '{name}' in it, but of {others}")
