"""Name the container images that are ours, and judge the age of node images."""

import re
from datetime import datetime, timedelta

#: Serves the checks of a cluster from inside a pod; every node image holds it.
CHECK_IMAGE = "bootstrap.dev/check:v1"

#: Debian publishes security updates every few days.
_OLD = timedelta(days=30)
_KEY = re.compile(r"[0-9a-f]{16,64}")


def age_advice(fetched: str, now: str) -> str:
    """Say what to type if a node image's Debian packages are older than 30 days; else empty.

    Both are times in ISO 8601 with a zone. ``fetched`` is empty if it was not recorded, which
    counts as old.
    """
    age = datetime.fromisoformat(now) - datetime.fromisoformat(fetched) if fetched else None
    if age is not None and age <= _OLD:
        return ""
    packages = "Debian packages of the node image"
    how_old = (
        f"The {packages} are {age.days} days old."
        if age
        else f"The age of the {packages} is unknown."
    )
    return f"{how_old} New clusters get today's after 'bootstrap image build --refresh'."


def is_image_key(text: str) -> bool:
    """Tell whether the text can be the key of a node image, which is also a directory's name."""
    return _KEY.fullmatch(text) is not None
