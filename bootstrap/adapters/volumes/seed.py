"""Write a node's cloud-init data as an ISO 9660 image labelled cidata (NoCloud)."""

import io
from collections.abc import Mapping

import pycdlib

_LABEL = "cidata"


def seed_image(files: Mapping[str, str]) -> bytes:
    """Return a seed image with ``files``; the keys are their names."""
    image = pycdlib.PyCdlib()
    image.new(interchange_level=4, joliet=3, rock_ridge="1.09", vol_ident=_LABEL)
    for name, text in sorted(files.items()):
        data = text.encode()
        image.add_fp(
            io.BytesIO(data),
            len(data),
            f"/{name.upper()};1",
            rr_name=name,
            joliet_path=f"/{name}",
        )
    buffer = io.BytesIO()
    image.write_fp(buffer)
    image.close()
    return buffer.getvalue()
