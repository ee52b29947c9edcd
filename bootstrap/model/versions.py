"""The versions that nodes get; the ``go.mod`` files under ``artifacts/`` are their only list."""

import re

from bootstrap.resources import resource_directory


def required_version(module: str, requirement: str) -> str:
    """Return the version of ``requirement`` in the ``go.mod`` of the Go module ``module``."""
    text = (resource_directory("artifacts") / module / "go.mod").read_text()
    (version,) = re.findall(rf"^(?:require |\t){re.escape(requirement)} (v\S+)", text, re.MULTILINE)
    return str(version)


#: The Kubernetes versions that this tool can install, newest first.
SUPPORTED_VERSIONS = (required_version("kubernetes", "k8s.io/kubernetes"),)
DEFAULT_VERSION = SUPPORTED_VERSIONS[0]
