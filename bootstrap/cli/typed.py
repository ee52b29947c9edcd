"""Read the words of a line that a user has typed so far, as click will read them."""

from dataclasses import dataclass, field

from bootstrap.cli.commands import ALIASES, Command, Kind, Option, Value, command_table

_OF_A_CLUSTER = (Kind.CLUSTER, Kind.SAVED_CLUSTER)


@dataclass(slots=True)
class TypedLine:
    """The words before the one that is completed."""

    command: Command = field(default_factory=command_table)
    arguments: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    #: What the option before the last word takes.
    pending: Value | None = None
    has_options: bool = True

    def take(self, word: str) -> None:
        """Read one word."""
        if self.pending:
            self.pending = None
        elif self.has_options and word == "--":
            self.has_options = False
        elif self.has_options and word.startswith("--"):
            self._use(word.partition("=")[0], is_last="=" not in word)
        elif self.has_options and word.startswith("-"):
            self._use_letters(word)
        elif "commands" in self.command:
            known = self.command["commands"]
            name = word if word in known else ALIASES.get(word, "")
            self.command = known.get(name, {"summary": "", "options": [], "arguments": []})
        else:
            self.arguments.append(word)

    def _use_letters(self, word: str) -> None:
        for place, letter in enumerate(word[1:], 1):
            if self._use(f"-{letter}", is_last=place == len(word) - 1):
                return

    def _use(self, name: str, *, is_last: bool) -> bool:
        """Note an option, and return whether it takes a value, which follows if it is last."""
        option = self.option(name)
        self.used.add(name)
        value = option.get("value") if option else None
        self.pending = value if is_last else None
        return value is not None

    def option(self, name: str) -> Option | None:
        """Return the command's option of that name."""
        return next((one for one in self.command["options"] if name in one["names"]), None)

    @property
    def cluster(self) -> str:
        """The cluster that the line names; empty if it names none."""
        kinds = [value["kind"] for value in self.command["arguments"]]
        named = zip(kinds, self.arguments, strict=False)
        return next((word for kind, word in named if kind in _OF_A_CLUSTER), "")

    @property
    def argument(self) -> Value | None:
        """What the next argument is."""
        values = self.command["arguments"]
        if len(self.arguments) < len(values):
            return values[len(self.arguments)]
        return values[-1] if values and values[-1].get("many") else None


def split_line(text: str) -> list[str]:
    """Split a line as a shell does; the last word may be empty, or have an open quote."""
    import shlex  # noqa: PLC0415 - only bash leaves it to us

    lexer = shlex.shlex(text, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    try:
        words += lexer
    except ValueError:
        return [*words, lexer.token]
    return [*words, ""] if not words or text[-1:].isspace() else words
