"""Run checks one after the other, each to one line, and skip what can no longer run."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bootstrap.adapters.kubernetes.failures import ApiFailureError
from bootstrap.errors import BootstrapError
from bootstrap.ports import CheckResult


@dataclass(slots=True, kw_only=True)
class Ledger:
    """Collects one line for each check."""

    #: Raises ApiFailureError if the API server does not answer now. Without this, a
    #: dead one would cost every later check its whole deadline.
    ask: Callable[[], object]
    results: list[CheckResult] = field(default_factory=list)
    #: Why no further check can run; empty while they can.
    blocked: str = ""

    def run(self, name: str, check: Callable[[], str], *, blocks: str = "") -> None:
        """Run a check, unless an earlier failure stands in its way.

        ``blocks`` is the reason that later checks give for not running if this one fails.
        """
        if self.blocked:
            self._write(name, f"not run: {self.blocked}", ok=False)
            return
        if not self.run_always(name, check):
            self.blocked = blocks or self._silence()

    def run_alone(self, name: str, check: Callable[[], str]) -> None:
        """Run a check that needs nothing but an API server that answers."""
        self.blocked = self.blocked and self._silence()
        self.run(name, check)

    def run_always(self, name: str, check: Callable[[], str]) -> bool:
        """Run a check whatever happened before; tell whether it was ok."""
        try:
            self._write(name, check(), ok=True)
        except BootstrapError as error:
            self._write(name, f"{error.message} {error.details}", ok=False)
        except ApiFailureError as error:
            self._write(name, str(error), ok=False)
        return self.results[-1].ok

    def _write(self, name: str, evidence: str, *, ok: bool) -> None:
        line = " ".join(evidence.split())
        self.results.append(CheckResult(name=name, ok=ok, evidence=line))

    def _silence(self) -> str:
        try:
            self.ask()
        except ApiFailureError as error:
            return f"the API server stopped answering: {error}"
        return ""
