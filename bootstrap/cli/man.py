"""`bootstrap man`."""

import inspect
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from bootstrap import __version__
from bootstrap.cli.describing import context_of, subcommands
from bootstrap.errors import UsageError
from bootstrap.rendering import render

#: In words; docs/reference/exit-codes.md has more.
EXIT_STATUS = {
    0: "Done.",
    2: "Wrong use or wrong file; nothing changed.",
    3: "The host is not fit.",
    4: "Locked by another run.",
    5: "A deadline passed.",
    6: "A step failed.",
    7: "Not ours, so refused.",
    8: "The verification failed.",
    9: "Local state is damaged, or the cluster is of another version.",
    129: "Ended by SIGHUP; safe to run again.",
    130: "Ended by SIGINT or cancelled; safe to run again.",
    141: "The reader of the output has gone.",
    143: "Ended by SIGTERM; safe to run again.",
}
ENVIRONMENT = {
    "BOOTSTRAP_CACHED": "If it is set, `up` clones a saved cluster, as with `--cached`.",
    "BOOTSTRAP_HOME": "The directory of all files, in place of the XDG directories.",
    "KUBECONFIG": "The kubeconfig that gets the entries of a cluster, as `kubectl` reads it.",
    "XDG_CACHE_HOME": "Holds the directory of what can be built again.",
    "XDG_DATA_HOME": "Holds the directory of disks, node images and snapshots; not for root.",
    "XDG_STATE_HOME": "Holds the directory of kubeconfigs, keys and logs.",
}


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.pass_context
def man(ctx: click.Context, directory: Path) -> None:
    """Write a manual page for each command into DIRECTORY.

    `man DIRECTORY/bootstrap.1` shows the first one.
    """
    pages = dict(manual_pages(ctx.find_root().command))
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, page in pages.items():
            (directory / name).write_text(page, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"Could not write manual pages into '{directory}'.",
            details=str(error),
            hint="bootstrap man ./man1",
        ) from error
    click.echo(f"{len(pages)} pages are in '{directory}'.")


def manual_pages(
    command: click.Command, above: click.Context | None = None
) -> Iterator[tuple[str, str]]:
    """Render the page of a command and those of all in it, each with the name of its file."""
    context = context_of(command, above)
    page = _page(command, context)
    yield f"{page['title']}.1", render("man/page.1.j2", page)
    for one in subcommands(command).values():
        yield from manual_pages(one, context)


def _page(command: click.Command, context: click.Context) -> Mapping[str, object]:
    title = context.command_path.replace(" ", "-")
    options = (one for one in command.get_params(context) if isinstance(one, click.Option))
    records = (option.get_help_record(context) for option in options)
    summary, _, rest = inspect.cleandoc(command.help or "").partition("\n\n")
    return {
        "title": title,
        "date": _date(),
        "version": __version__,
        "summary": command.get_short_help_str(len(summary)).removesuffix("."),
        "command": context.command_path,
        "usage": " ".join(command.collect_usage_pieces(context)),
        "description": [summary, *filter(None, rest.split("\n\n"))],
        "options": [record for record in records if record],
        "commands": [
            (f"{title}-{name}", one.get_short_help_str(len(one.help or "")))
            for name, one in subcommands(command).items()
        ],
        "is_root": context.parent is None,
        "exit_status": EXIT_STATUS.items(),
        "environment": ENVIRONMENT.items(),
        "related": [context.parent.command_path.replace(" ", "-")] if context.parent else [],
    }


def _date() -> str:
    """Return today's date, or that of a build that has to give the same again."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.fromtimestamp(int(seconds), UTC) if seconds.isdecimal() else datetime.now(UTC)
    return now.date().isoformat()
