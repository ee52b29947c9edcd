"""The Kubernetes versions that this tool can make, in one place."""

#: Newest first; each has its artefacts in the lock file.
SUPPORTED_VERSIONS = ("v1.37.2",)
DEFAULT_VERSION = SUPPORTED_VERSIONS[0]
