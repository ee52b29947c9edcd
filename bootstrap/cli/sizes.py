"""Sizes and durations as users write and read them."""

import re
from datetime import timedelta
from typing import Any

import click

_UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_DURATIONS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MIB, _GIB = _UNITS["MiB"], _UNITS["GiB"]


class _Size(click.ParamType[int]):
    name = "size"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:  # noqa: ANN401 - click's signature
        found = re.fullmatch(rf"([0-9]{{1,9}})({'|'.join(_UNITS)})", str(value))
        if found is None:
            self.fail(f"'{value}' is not a size; write it like '20GiB'.", param, ctx)
        return int(found[1]) * _UNITS[found[2]]


class _Duration(click.ParamType[timedelta]):
    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> timedelta:  # noqa: ANN401 - click's
        found = re.fullmatch(rf"([0-9]{{1,6}})([{''.join(_DURATIONS)}])", str(value))
        if found is None:
            self.fail(f"'{value}' is not a duration; write it like '12h' or '7d'.", param, ctx)
        return timedelta(**{_DURATIONS[found[2]]: int(found[1])})


SIZE, DURATION = _Size(), _Duration()


def bytes_text(number: int) -> str:
    """Write a number of bytes in the unit that a user thinks in."""
    return f"{number / _GIB:.1f} GiB" if number >= _GIB else f"{number / _MIB:.0f} MiB"
