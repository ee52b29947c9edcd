"""The verdict over checks, which `up` and `verify` share."""

import pytest

from bootstrap.errors import VerifyError
from bootstrap.model.names import ClusterName
from bootstrap.ports import CheckResult
from bootstrap.workflow.verification import Verification

DEMO = ClusterName("demo")
GOOD = CheckResult(name="nodes", ok=True, evidence="2 of 2 are Ready")
BAD = CheckResult(name="dns", ok=False, evidence="no answer")


def test_good_checks_are_accepted() -> None:
    Verification(checks=[GOOD]).refuse_failed(DEMO, hint="bootstrap logs demo")


def test_no_check_proves_nothing() -> None:
    """An empty list is no evidence."""
    with pytest.raises(VerifyError, match="0 of 0 checks failed"):
        Verification(checks=[]).refuse_failed(DEMO, hint="bootstrap logs demo")


def test_a_failed_check_is_told_with_all_evidence() -> None:
    with pytest.raises(VerifyError, match=r"^Cluster 'demo' .* 1 of 2 checks failed\.$") as caught:
        Verification(checks=[GOOD, BAD], culprits=["It."]).refuse_failed(
            DEMO, hint="bootstrap logs demo"
        )
    assert (
        caught.value.details
        == "ok     nodes: 2 of 2 are Ready\nFAILED dns: no answer\nLikely culprit: It."
    )
    assert caught.value.hint == "bootstrap logs demo"
