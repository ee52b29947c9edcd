"""A place without a network, and the page that tells what to do there."""

import contextlib
import re
from collections.abc import Iterator, Sequence

from tests.e2e.people import as_root

#: Tries to reach a host by its address; every network has a way to this one.
REACH = """
import socket, sys
try:
    socket.create_connection(("192.0.2.1", 443), timeout=5)
except OSError as error:
    sys.exit(error.strerror)
"""


@contextlib.contextmanager
def network_without_routes(name: str) -> Iterator[Sequence[str]]:
    """Make a network namespace in which only loopback is up; the words that enter it as root."""
    as_root("ip", "netns", "add", name)
    try:
        as_root("ip", "-n", name, "link", "set", "lo", "up")
        yield ("ip", "netns", "exec", name)
    finally:
        as_root("ip", "netns", "delete", name)


def steps(page: str) -> list[list[str]]:
    """Return the commands of each numbered step of a bundle's page."""
    found: list[list[str]] = []
    for block in re.split(r"^\d+\. ", page, flags=re.MULTILINE)[1:]:
        joined = block.replace("\\\n", " ")
        lines = re.findall(r"^ {4,}(\S.*)$", joined, re.MULTILINE)
        found.append([" ".join(line.split()) for line in lines])
    return found
