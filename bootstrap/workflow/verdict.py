"""What the checks of a cluster say together: the same words after `up` and in `verify`."""

from collections.abc import Sequence

from bootstrap.errors import VerifyError
from bootstrap.model.names import ClusterName
from bootstrap.ports import CheckResult


def check_line(check: CheckResult) -> str:
    """Tell one check with its evidence."""
    return f"{'ok    ' if check.ok else 'FAILED'} {check.name}: {check.evidence}"


def refuse_failed(cluster: ClusterName, checks: Sequence[CheckResult], *, hint: str) -> None:
    """Do nothing if every check is as it must be; no check at all proves nothing.

    :raises VerifyError: with every check's evidence.
    """
    failed = [check for check in checks if not check.ok]
    if checks and not failed:
        return
    raise VerifyError(
        f"Cluster '{cluster}' is not verified: {len(failed)} of {len(checks)} checks failed.",
        details="\n".join(map(check_line, checks)),
        hint=hint,
    )
