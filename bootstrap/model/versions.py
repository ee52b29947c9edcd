"""The versions that nodes get; the ``go.mod`` files under ``artifacts/`` are their only list."""

import re
from collections.abc import Mapping
from datetime import date

from bootstrap.resources import resource_directory


def required_version(module: str, requirement: str) -> str:
    """Return the version of ``requirement`` in the ``go.mod`` of the Go module ``module``."""
    text = (resource_directory("artifacts") / module / "go.mod").read_text()
    (version,) = re.findall(rf"^(?:require |\t){re.escape(requirement)} (v\S+)", text, re.MULTILINE)
    return str(version)


#: The Kubernetes versions that this tool can install, newest first.
SUPPORTED_VERSIONS = (required_version("kubernetes", "k8s.io/kubernetes"),)
DEFAULT_VERSION = SUPPORTED_VERSIONS[0]

#: The last day on which Kubernetes patches a minor, as ``v1.37``; only days known for sure.
SUPPORT_ENDS: Mapping[str, date] = {}


def support_end(version: str) -> date | None:
    """Return the last day on which Kubernetes patches the minor of a version; None if unknown."""
    return SUPPORT_ENDS.get(version.rpartition(".")[0])
