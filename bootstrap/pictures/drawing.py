"""Draw a run or a topology as SVG, or as a page that needs nothing else."""

from collections.abc import Mapping

from bootstrap.pictures.clusters import placing
from bootstrap.pictures.clusters.topology import Topology
from bootstrap.pictures.palette import styles
from bootstrap.pictures.runs import chart, timeline
from bootstrap.pictures.runs.report import Report
from bootstrap.pictures.text import duration
from bootstrap.rendering import render

#: Of a picture alone, and of those on a page for small and for large windows.
_WIDTH, _NARROW, _WIDE = 1200, 744, 1480
#: Of a picture of a topology alone.
_SMALL = 900


def timeline_svg(cluster: str, report: Report) -> str:
    """Return the timeline of a cluster's run as an SVG picture."""
    figure = _figure(report, _WIDTH)
    return render("pictures/timeline.svg.j2", {**_values(cluster, report), "figure": figure})


def timeline_html(cluster: str, report: Report) -> str:
    """Return the same as an HTML page, where tables tell all that the picture shows."""
    figures = {"narrow": _figure(report, _NARROW), "wide": _figure(report, _WIDE)}
    return render("pictures/timeline.html.j2", {**_values(cluster, report), "figures": figures})


def topology_svg(topology: Topology) -> str:
    """Return a cluster as an SVG picture."""
    values = {"topology": topology, "map": placing.lay_out(topology, _SMALL), **styles()}
    return render("pictures/topology.svg.j2", values)


def topology_html(topology: Topology) -> str:
    """Return the same as an HTML page, where a table tells all that the picture shows."""
    maps = {"narrow": placing.lay_out(topology, _NARROW), "wide": placing.lay_out(topology, _WIDE)}
    return render("pictures/topology.html.j2", {"topology": topology, "maps": maps, **styles()})


def _figure(report: Report, width: float) -> Mapping[str, object]:
    return {
        "timeline": timeline.lay_out(report.run, report.path, width),
        "chart": chart.lay_out(report.changes, width) if report.earlier else None,
    }


def _values(cluster: str, report: Report) -> Mapping[str, object]:
    return {
        "cluster": cluster,
        "report": report,
        "duration": duration,
        "words": chart.words,
        "is_critical": timeline.is_critical,
        **styles(),
    }
