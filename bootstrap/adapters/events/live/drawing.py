"""Draw a board as lines of text that are no wider than a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from bootstrap.adapters.events.amounts import amount, span
from bootstrap.adapters.events.live.board import Board, NodeRow
from bootstrap.model.events import Progress

#: Below it, a node's phase is left out: its step says more.
_WIDE = 64
_WIDEST = 100
_BAR_WIDTH = 30
_NAME_WIDTH = 24
#: Rows beside those of nodes and pieces of work: the step, a wait, the bar and the cursor's.
_OTHER_ROWS = 5
_FRAMES_PER_S = 5


@dataclass(frozen=True, slots=True)
class Symbols:
    """The characters of the view."""

    spinner: str
    done: str
    failed: str
    full: str
    empty: str
    ellipsis: str


UNICODE = Symbols("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "✓", "✗", "━", "─", "…")
ASCII = Symbols("|/-\\", "+", "x", "#", "-", ".")


@dataclass(frozen=True, slots=True)
class Drawing:
    """Draws for a terminal of so many columns and rows."""

    width: int
    height: int
    symbols: Symbols = UNICODE

    def lines(self, board: Board, now_s: float) -> Sequence[Text]:
        """Return the whole view."""
        found = [self._step(row.title, now_s - row.began_s, now_s) for row in board.steps[-1:]]
        found += self._nodes(board, now_s)
        if board.waiting:
            found.append(Text(f"  {board.waiting}", style="dim"))
        found += [self._piece(name, one.progress) for name, one in board.pieces.items()]
        if board.steps:
            found.append(self._whole(board, now_s))
        return [self._cut(line) for line in found]

    def remains(self, board: Board, now_s: float) -> Sequence[Text]:
        """Return what stays of the view of a run that failed."""
        return [self._cut(line) for line in self._nodes(board, now_s)]

    def ended(self, title: str, seconds: float, *, is_failed: bool) -> Text:
        """Return the line of a step that has ended; it stays, and is not cut."""
        symbol, style = (
            (self.symbols.failed, "bold red") if is_failed else (self.symbols.done, "green")
        )
        return Text.assemble((symbol, style), f" {title}", (f"  {span(seconds)}", "dim"))

    def _step(self, title: str, seconds: float, now_s: float) -> Text:
        return Text.assemble(
            (self._spinner(now_s), "cyan"), (f" {title}", "bold"), (f"  {span(seconds)}", "dim")
        )

    def _spinner(self, now_s: float) -> str:
        return self.symbols.spinner[int(now_s * _FRAMES_PER_S) % len(self.symbols.spinner)]

    def _nodes(self, board: Board, now_s: float) -> list[Text]:
        rows = list(board.nodes.values())
        room = max(1, self.height - _OTHER_ROWS - max(1, len(board.pieces)))
        names = min(_NAME_WIDTH, max((len(row.name) for row in rows), default=0))
        phases = max((len(row.phase or "") for row in rows), default=0)
        if len(rows) <= room:
            return [self._node(row, board, now_s, names, phases) for row in rows]
        # Those that work are worth more than those that are done.
        shown = sorted(rows, key=lambda row: row.is_done)[: room - 1]
        done = sum(row.is_done for row in rows if row not in shown)
        more = f"  and {len(rows) - len(shown)} more nodes, of which {done} are done"
        found = [self._node(row, board, now_s, names, phases) for row in rows if row in shown]
        return [*found, Text(more, style="dim")]

    def _node(self, row: NodeRow, board: Board, now_s: float, names: int, phases: int) -> Text:
        if row.is_done:
            symbol, style = self.symbols.done, "green"
        elif board.has_failed:
            symbol, style = self.symbols.failed, "red"
        else:
            symbol, style = self._spinner(now_s), "cyan"
        took = span(row.seconds(now_s)) if row.phase else ""
        line = Text.assemble("  ", (symbol, style), f" {row.name:{names}}  ")
        if self.width >= _WIDE and phases:
            line.append(f"{row.phase or '':{phases}}  ", style="dim")
        # Far away at the right, a time is hard to read as that of its row.
        room = max(0, min(self.width, _WIDEST) - line.cell_len - 9)
        detail = Text(row.detail, style="dim" if row.is_done else "")
        detail.truncate(room, overflow="ellipsis", pad=True)
        return line.append_text(detail).append(f" {took:>7}", style="dim")

    def _piece(self, detail: str, progress: Progress) -> Text:
        line = Text(f"  {detail}  ")
        if progress.total:
            numbers = amount(progress)
            room = min(_BAR_WIDTH, self.width - line.cell_len - len(numbers) - 3)
            if room >= len(self.symbols.spinner):
                line.append_text(self._bar(progress.done / progress.total, room)).append("  ")
        return line.append(amount(progress), style="dim")

    def _whole(self, board: Board, now_s: float) -> Text:
        share, left = board.share(now_s), board.course.seconds_left(now_s)
        if share is None or left is None:
            return Text(f"  {span(now_s)} so far", style="dim")
        late = board.course.is_late(now_s)
        rest = "longer than usual" if late else f"about {span(left)} left"
        if self.width >= _WIDE:
            rest = f"{span(now_s)} so far, {rest}"
        # A run that is late is not done.
        percent = min(99, int(share * 100))
        words = f"  {percent} %  {rest}"
        bar = self._bar(percent / 100, max(0, min(_BAR_WIDTH, self.width - len(words) - 3)))
        return Text("  ").append_text(bar).append(words, style="dim")

    def _bar(self, share: float, width: int) -> Text:
        full = round(width * min(1.0, share))
        return Text.assemble(
            (self.symbols.full * full, "cyan"), (self.symbols.empty * (width - full), "dim")
        )

    def _cut(self, line: Text) -> Text:
        # The last column stays free: some terminals wrap a line that fills it.
        line.truncate(max(1, self.width - 1), overflow="ellipsis")
        return line
