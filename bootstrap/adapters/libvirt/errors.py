"""Translate libvirt's errors at the edge."""

import contextlib
from collections.abc import Iterator

import libvirt

from bootstrap.errors import BootstrapError, NotFoundError, NotOursError

_NOT_FOUND = {libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_NO_DOMAIN_METADATA}


@contextlib.contextmanager
def translated(action: str, *, hint: str = "") -> Iterator[None]:
    """Turn a libvirt error inside the block into one of ours.

    ``action`` completes the sentence "Could not ...".
    """
    try:
        yield
    except libvirt.libvirtError as error:
        kind = NotFoundError if error.get_error_code() in _NOT_FOUND else BootstrapError
        raise kind(f"Could not {action}.", details=f"libvirt: {error}", hint=hint) from error


def not_ours(name: str, details: str) -> NotOursError:
    """Say that a domain exists and was not made by this install of the tool."""
    return NotOursError(
        f"Domain '{name}' exists and is not ours, so it was left alone.",
        details=details,
        hint="Choose another cluster name: bootstrap up another-name",
    )
