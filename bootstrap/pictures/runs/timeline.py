"""Lay out the timeline of a run: where each bar, tick and label is at a width in pixels."""

from collections.abc import Iterator, Mapping, Sequence

from bootstrap.pictures.runs.critical import Stretch
from bootstrap.pictures.runs.run import Bar, Remark, Run
from bootstrap.pictures.runs.shapes import Box, Lane, Span, Tick, Timeline
from bootstrap.pictures.text import duration, shortened, tick_text, ticks, width_of

_MARGIN, _AXIS, _ROW, _BAR = 12, 26, 36, 22
_LEAST_BAR, _LEAST_STRETCH, _LABEL_PADDING = 2.0, 4, 6
_NAMES_LEAST, _NAMES_PART = 84, 0.2
_TICK_ROOM = 90
#: How the lane of all that concerns no single node is called.
CLUSTER = "cluster"


class _Scale:
    """Leads from seconds to pixels."""

    def __init__(self, run: Run, width: float) -> None:
        names = max(width_of(name) for name in (CLUSTER, *run.nodes)) + 2 * _MARGIN
        self.left = min(max(names, _NAMES_LEAST), _NAMES_PART * width)
        self.width = width - self.left - _MARGIN
        self._seconds = max(run.seconds, 0.001)

    def x(self, seconds: float) -> float:
        return round(self.left + self.width * min(seconds / self._seconds, 1), 1)

    def span(self, start_s: float, end_s: float) -> tuple[float, float]:
        """Return where it is and its width, which is never too small to be seen."""
        x = self.x(start_s)
        width = max(self.x(end_s) - x, _LEAST_BAR)
        return min(x, self.left + self.width - width), round(width, 1)


def lay_out(run: Run, path: Sequence[Stretch], width: float) -> Timeline:
    """Lay out a run and its critical path."""
    scale = _Scale(run, width)
    lanes = list(_lanes(run, path, scale))
    last = lanes[-1]
    return Timeline(
        width=width,
        height=last.y + last.height + _MARGIN,
        bar=_BAR,
        axis=_AXIS,
        plot_x=round(scale.left, 1),
        plot_width=round(scale.width, 1),
        ticks=[
            _tick(seconds, scale) for seconds in ticks(run.seconds, int(scale.width // _TICK_ROOM))
        ],
        lanes=lanes,
        critical=_line(path, {lane.node: lane for lane in lanes}, scale),
    )


def _tick(seconds: float, scale: _Scale) -> Tick:
    text, x = tick_text(seconds), scale.x(seconds)
    is_at_end = x + width_of(text) / 2 > scale.left + scale.width
    anchor = "end" if is_at_end else "middle" if seconds else "start"
    return Tick(x=x, text=text, anchor=anchor)


def _lanes(run: Run, path: Sequence[Stretch], scale: _Scale) -> Iterator[Lane]:
    y = float(_AXIS)
    for node in (None, *run.nodes):
        bars = run.steps if node is None else run.work_of(node)
        rows = 1 + max((bar.depth for bar in bars), default=0) if node is None else 1
        name = CLUSTER if node is None else node
        yield Lane(
            node=node,
            name=shortened(name, scale.left - 1.5 * _MARGIN),
            hover=name,
            y=y,
            height=rows * _ROW,
            boxes=[_box(bar, y, path, scale) for bar in bars],
            remarks=[_remark(one, scale) for one in run.remarks if one.node == node],
        )
        y += rows * _ROW


def _box(bar: Bar, y: float, path: Sequence[Stretch], scale: _Scale) -> Box:
    x, width = scale.span(bar.start_s, bar.end_s)
    kind = "step" if bar.node is None else "work"
    row = bar.depth if bar.node is None else 0
    return Box(
        x=x,
        y=y + row * _ROW + (_ROW - _BAR) / 2,
        width=width,
        kind="bad" if bar.failure is not None else f"{kind} open" if bar.is_open else kind,
        label=_label(bar, width - 2 * _LABEL_PADDING),
        hover=_hover(bar, path),
        waits=[_wait_span(wait.start_s, wait.end_s, wait.detail, scale) for wait in bar.waits],
    )


def _wait_span(start_s: float, end_s: float, detail: str, scale: _Scale) -> Span:
    x, width = scale.span(start_s, end_s)
    return Span(x=x, width=width, hover=detail)


def _remark(remark: Remark, scale: _Scale) -> Span:
    hover = f"{remark.text} (at {duration(remark.time_s)})"
    return Span(x=scale.x(remark.time_s), width=0, hover=hover)


def _label(bar: Bar, room: float) -> str:
    """Choose the longest text that fits: the title with its time, without it, or its beginning."""
    title = bar.title if bar.failure is None else f"failed: {bar.title}"
    for text in (f"{title} · {duration(bar.seconds)}", title):
        if width_of(text) <= room:
            return text
    return shortened(title, room)


def _hover(bar: Bar, path: Sequence[Stretch]) -> str:
    where = f"{duration(bar.start_s)} to {duration(bar.end_s)}"
    parts = [f"{bar.title}: {duration(bar.seconds)}, from {where}"]
    if bar.node is not None:
        parts[0] = f"{bar.node}: {parts[0]}"
    if is_critical(bar, path):
        parts.append("on the critical path")
    if bar.failure is not None:
        parts.append(f"failed: {bar.failure}")
    if bar.is_open:
        parts.append("its end is not in the log")
    return "\n".join(parts)


def is_critical(bar: Bar, path: Sequence[Stretch]) -> bool:
    """Tell whether a part of the critical path is the bar, or of its own time."""
    middles = ((one.node, (one.start_s + one.end_s) / 2) for one in path)
    return any(node == bar.node and bar.start_s < at < bar.end_s for node, at in middles)


def _line(path: Sequence[Stretch], lanes: Mapping[str | None, Lane], scale: _Scale) -> str:
    """Lead a line along the lower edge of the critical bars, from lane to lane."""
    points = []
    for stretch in path:
        if scale.x(stretch.end_s) - scale.x(stretch.start_s) < _LEAST_STRETCH:
            continue  # nothing but a needle
        lane = lanes[stretch.node]
        y = lane.y + lane.height - (_ROW - _BAR) / 4
        points += [f"{scale.x(stretch.start_s)},{y}", f"{scale.x(stretch.end_s)},{y}"]
    return " ".join(points)
