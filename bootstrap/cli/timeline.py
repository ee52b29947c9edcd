"""`bootstrap timeline`."""

from collections.abc import Sequence
from pathlib import Path

import click

from bootstrap.cli.context import cluster
from bootstrap.cli.output import output_option, table, write
from bootstrap.cli.pictures import FORMATS, format_of, write_picture
from bootstrap.model.events import LAST_RUN
from bootstrap.pictures.drawing import timeline_html, timeline_svg
from bootstrap.pictures.runs.report import Report
from bootstrap.pictures.runs.run import Run

_DRAWN = {"html": timeline_html, "svg": timeline_svg}


@click.command()
@click.argument("name", required=False)
@click.option(
    "--run",
    metavar="RUN",
    default=LAST_RUN,
    show_default=True,
    help="The id of a run, as --list tells it.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(FORMATS),
    help="The picture's format; default: by the name of the file, else html.",
)
@click.option(
    "-O",
    "--output-file",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to write; - for stdout; default: NAME-RUN.html or .svg in this directory.",
)
@click.option("--list", "listed", is_flag=True, help="List the runs that are kept.")
@output_option
def timeline(  # noqa: PLR0913 - one argument for each option
    name: str | None, run: str, kind: str | None, file: Path | None, output: str, *, listed: bool
) -> None:
    """Draw a run: what each node did and waited for, and what took the time.

    The picture compares the run with the last one of the same command before it. A cluster that
    was removed has no runs any more. Without NAME, the only cluster is meant.
    """
    named = cluster(name)
    name = named.name
    if listed:
        _write_list(named.runs(), output)
        return
    if kind is None and file is not None and str(file) != "-":
        kind = format_of(file, hint=f"bootstrap timeline {name} --format svg -O picture")
    kind = kind or "html"
    report = named.timeline(run)
    path = file or Path(f"{name}-{report.run.id}.{kind}")
    write_picture(path, _DRAWN[kind](name, report))
    if str(path) != "-":
        write(output, _as_data(name, report, path), text=str(path), names=[str(path)])


def _write_list(runs: Sequence[Run], output: str) -> None:
    rows = [_summary(run) for run in reversed(runs)]
    header = ["RUN", "COMMAND", "BEGAN", "SECONDS", "OUTCOME"]
    text = table(header, [list(row.values()) for row in rows])
    write(output, rows, text=text, names=[run.id for run in reversed(runs)])


def _summary(run: Run) -> dict[str, object]:
    return {
        "run": run.id,
        "command": run.command,
        "began": run.began.isoformat(timespec="seconds"),
        "seconds": round(run.seconds, 1),
        "outcome": run.outcome.value,
    }


def _as_data(cluster: str, report: Report, path: Path) -> dict[str, object]:
    """Return what the picture shows, for a program."""
    return {
        "name": cluster,
        "file": str(path),
        **_summary(report.run),
        "comparedWith": report.earlier.id if report.earlier else None,
        "steps": [
            {
                "step": change.name,
                "seconds": _rounded(change.now_s),
                "secondsBefore": _rounded(change.before_s),
                "change": change.change.value,
            }
            for change in report.changes[:-1]
        ],
        "criticalPath": [
            {
                "node": stretch.node,
                "what": stretch.title,
                "fromSecond": _rounded(stretch.start_s),
                "seconds": _rounded(stretch.seconds),
            }
            for stretch in report.path
        ],
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
