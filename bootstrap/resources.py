"""Find the templates, playbooks and Go modules, in a wheel or in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resource_directory(kind: str) -> Path:
    """Name the directory that holds ``kind``: ``templates``, ``playbooks`` or ``artifacts``.

    A wheel carries them inside the package; an editable install has them beside it.
    """
    packaged = _PACKAGE / "_data" / kind
    return packaged if packaged.is_dir() else _PACKAGE.parent / kind
