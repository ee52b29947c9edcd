"""Draw the pictures of the documents anew: `PYTHONPATH=. python docs/pictures/draw.py`."""

from collections.abc import Mapping
from pathlib import Path

from bootstrap.adapters.events.history import event_of
from bootstrap.pictures.drawing import timeline_svg
from bootstrap.pictures.reading import run_of
from bootstrap.pictures.report import report_of

HERE = Path(__file__).parent
#: The log of a real run, and one that was made of it for the comparison.
_RUNS = HERE.parents[1] / "tests" / "data" / "runs"


def pictures() -> Mapping[str, str]:
    """Return the SVG pictures by the names of their files."""
    logs = (path.read_bytes().splitlines() for path in sorted(_RUNS.glob("*.ndjson"))[:2])
    runs = [run_of([event for line in lines if (event := event_of(line))]) for lines in logs]
    return {"timeline.svg": timeline_svg("demo", report_of(runs[-1], runs))}


if __name__ == "__main__":
    for name, text in pictures().items():
        (HERE / name).write_text(text, encoding="utf-8")
