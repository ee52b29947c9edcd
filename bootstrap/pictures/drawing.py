"""Draw a run as SVG, or as a page that needs nothing else."""

from collections.abc import Mapping

from bootstrap.pictures import chart, timeline
from bootstrap.pictures.palette import styles
from bootstrap.pictures.report import Report
from bootstrap.pictures.text import duration
from bootstrap.rendering import render

#: Of a picture alone, and of those on a page for small and for large windows.
_WIDTH, _NARROW, _WIDE = 1200, 744, 1480


def timeline_svg(cluster: str, report: Report) -> str:
    """Return the timeline of a cluster's run as an SVG picture."""
    figure = _figure(report, _WIDTH)
    return render("pictures/timeline.svg.j2", {**_values(cluster, report), "figure": figure})


def timeline_html(cluster: str, report: Report) -> str:
    """Return the same as an HTML page, where tables tell all that the picture shows."""
    figures = {"narrow": _figure(report, _NARROW), "wide": _figure(report, _WIDE)}
    return render("pictures/timeline.html.j2", {**_values(cluster, report), "figures": figures})


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
