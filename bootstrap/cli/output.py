"""Write results on stdout: text, JSON, YAML or names only."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click

from bootstrap import screen
from bootstrap.errors import StateError
from bootstrap.ports import CheckResult, RunEvents
from bootstrap.terminal import without_control_codes

C = TypeVar("C", bound=Callable[..., Any])

output_option = click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json", "yaml", "name"]),
    default="text",
    show_default=True,
    help="How to write the result.",
)


def write(
    output: str,
    data: object,
    *,
    text: str,
    names: Iterable[str] = (),
    events: RunEvents | None = None,
) -> None:
    """Write one result in the form that the user chose.

    It is also the result of the run's last event, and only that where events are on stdout.
    """
    screen.leave()
    if events is not None:
        events.result = data
        if events.is_on_stdout:
            return
    match output:
        case "json":
            click.echo(json.dumps(data, indent=2))
        case "yaml":
            import yaml  # noqa: PLC0415 - takes time to load

            click.echo(yaml.safe_dump(data, sort_keys=False), nl=False)
        case "name":
            for name in names:
                click.echo(without_control_codes(name))
        case _:
            # A check's evidence or a node's status may quote what a guest says (SEC-15).
            click.echo(without_control_codes(text))


def checks_data(checks: Iterable[CheckResult]) -> list[dict[str, object]]:
    """Return the results of checks as every command writes them."""
    return [{"name": check.name, "ok": check.ok, "evidence": check.evidence} for check in checks]


def yaml_as_json(text: str) -> str:
    """Write a YAML document of ours as JSON.

    :raises StateError: if it is not YAML.
    """
    import yaml  # noqa: PLC0415 - takes time to load

    try:
        return json.dumps(yaml.safe_load(text), indent=2, default=str)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise StateError(
            "The file is damaged.", details=str(error), hint="bootstrap list"
        ) from error


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lay out rows in columns, as kubectl does."""
    lines = [list(header), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
