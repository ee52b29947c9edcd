"""The n-th change of a file fails, for all n: a documented exit, whole files, a rerun (G-13)."""

import pytest

from tests.faults.conftest import Scale
from tests.faults.points import VERBS, Trials, chosen
from tests.faults.sandbox import Sandbox

pytestmark = pytest.mark.timeout(14400)
ERRORS = ("ENOSPC", "EIO", "EACCES")
_POINTS_IN_CI = 100


@pytest.mark.parametrize("verb", VERBS)
def test_the_failure_of_any_write_is_told_and_mended_by_a_rerun(
    sandbox: Sandbox, scale: Scale, verb: str
) -> None:
    """G-13, R-13, R-14, H-13: in the long run every point with every error."""
    trials = Trials(sandbox, scale, chosen(scale, verb), "writes")
    trials.run(*ERRORS, most=scale.most_in_ci(_POINTS_IN_CI))
