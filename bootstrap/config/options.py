"""The options of the command line that set fields of the cluster file, from the table of fields."""

from collections.abc import Iterator
from dataclasses import dataclass

from annotated_types import Ge

from bootstrap.config.problems import Path
from bootstrap.config.schema import SECTIONS, Flag
from bootstrap.model.facts import fact_name
from bootstrap.model.spec import NodeRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option of the commands that take a cluster file, or their argument ``NAME``."""

    flag: str
    #: Only of the node groups of this role.
    role: NodeRole | None
    path: Path
    kind: type[int | str]
    help: str
    #: The name under which an existing cluster remembers the value, if it does.
    fact: str | None

    @property
    def name(self) -> str:
        """The name in Python."""
        return self.flag.strip("-").replace("-", "_").lower()


def _options() -> Iterator[Option]:
    for path, section in SECTIONS.items():
        for name, info in section.model_fields.items():
            for flag in (mark for mark in info.metadata if isinstance(mark, Flag)):
                yield Option(
                    flag=flag.option,
                    role=flag.role,
                    path=(*path, str(info.alias)),
                    kind=int if any(isinstance(mark, Ge) for mark in info.metadata) else str,
                    help=flag.help or str(info.description),
                    fact=fact_name(section.spec, name),
                )


OPTIONS = tuple(_options())
