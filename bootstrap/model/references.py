"""Container image references as the kubelet and Docker write them: ``HOST/PATH:TAG``."""

import re

_HOST = r"(?:localhost|[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+|[a-zA-Z0-9.-]+(?=:\d))(?::\d+)?"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_FULL = re.compile(rf"{_HOST}/{_PART}(?:/{_PART})*:\w[\w.-]{{0,127}}", re.ASCII)
_LONGEST = 255
_DOCKER, _OFFICIAL = "docker.io", "library"


def full_reference(text: str) -> str:
    """Complete a reference as Docker does: ``name`` means ``docker.io/library/name:latest``.

    :raises ValueError: if it is no reference by a tag; one by a digest is none.
    """
    host, slash, path = text.partition("/")
    if not slash or not (set(".:") & set(host) or host == "localhost"):
        host, path = _DOCKER, text
    if host == _DOCKER and "/" not in path:
        path = f"{_OFFICIAL}/{path}"
    tag = "" if ":" in path.rpartition("/")[2] else ":latest"
    reference = f"{host}/{path}{tag}"
    if len(reference) > _LONGEST or not _FULL.fullmatch(reference):
        raise ValueError(f"{text[:_LONGEST]!r} is not the name of a container image with a tag")
    return reference


def full_if_reference(text: str) -> str:
    """Complete a reference as :func:`full_reference` does; return any other text as it is."""
    try:
        return full_reference(text)
    except ValueError:
        return text
