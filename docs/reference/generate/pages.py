"""The pages that are made from the code."""

from collections.abc import Callable, Mapping
from pathlib import Path

from docs.reference.generate.cluster_file import cluster_file
from docs.reference.generate.commands import commands
from docs.reference.generate.events import events
from docs.reference.generate.exit_codes import exit_codes
from docs.reference.generate.results import results

REFERENCE = Path(__file__).parents[1]
PAGES: Mapping[str, Callable[[], str]] = {
    "cluster-file.md": cluster_file,
    "commands.md": commands,
    "events.md": events,
    "exit-codes.md": exit_codes,
    "json.md": results,
}


def write_pages() -> None:
    """Write all pages anew."""
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")
