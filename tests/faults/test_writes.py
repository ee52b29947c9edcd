"""The n-th change of a file fails, for all n: a documented exit, whole files, a rerun (G-13)."""

import pytest

from tests.faults.conftest import Scale
from tests.faults.points import VERBS, Trials, chosen
from tests.faults.sandbox import Sandbox

pytestmark = pytest.mark.timeout(14400)
ERRORS = ("ENOSPC", "EIO", "EACCES")


@pytest.mark.parametrize("verb", VERBS)
def test_the_failure_of_any_write_is_told_and_mended_by_a_rerun(
    sandbox: Sandbox, scale: Scale, verb: str
) -> None:
    """G-13, R-13, R-14, H-13: every point; in the long run with every error."""
    Trials(sandbox, scale, chosen(scale, verb), "writes").run(*ERRORS)
