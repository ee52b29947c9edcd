"""Draw the pictures of the documents anew: `PYTHONPATH=. python docs/pictures/draw.py`."""

from collections.abc import Mapping
from pathlib import Path

from bootstrap.adapters.events.history import event_of
from bootstrap.pictures.clusters.planned import planned_topology
from bootstrap.pictures.clusters.topology import Topology
from bootstrap.pictures.drawing import timeline_html, timeline_svg, topology_html, topology_svg
from bootstrap.pictures.runs.reading import run_of
from bootstrap.pictures.runs.report import Report, report_of
from tests.builders import a_cluster_spec, a_plan

HERE = Path(__file__).parent
#: The log of a real run, and one that was made of it for the comparison.
_RUNS = HERE.parents[1] / "tests" / "data" / "runs"


def pictures() -> Mapping[str, str]:
    """Return the SVG pictures by the names of their files."""
    return {
        "timeline.svg": timeline_svg("demo", _report()),
        "topology.svg": topology_svg(_topology()),
    }


def pages() -> Mapping[str, str]:
    """Return the same as pages, of which `screenshots.py` makes PNG files."""
    return {
        "timeline": timeline_html("demo", _report()),
        "topology": topology_html(_topology()),
    }


def _report() -> Report:
    logs = (path.read_bytes().splitlines() for path in sorted(_RUNS.glob("*.ndjson"))[:2])
    runs = [run_of([event for line in lines if (event := event_of(line))]) for lines in logs]
    return report_of(runs[-1], runs)


def _topology() -> Topology:
    plan = a_plan(a_cluster_spec(workers=2))
    return planned_topology(plan, ["control-plane", "worker"])


if __name__ == "__main__":
    for name, text in pictures().items():
        (HERE / name).write_text(text, encoding="utf-8")
