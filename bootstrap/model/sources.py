"""Where Kubernetes comes from."""

from enum import StrEnum


class Source(StrEnum):
    """A source of programs and container images; docs/how-to/sources.md."""

    #: What is in the cache; else the projects' servers if they answer, else Go modules.
    AUTO = "auto"
    #: Built from Go modules on this host.
    GO = "go"
    #: The projects' own releases and images.
    UPSTREAM = "upstream"
