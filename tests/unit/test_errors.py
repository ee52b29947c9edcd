"""Each error has an exit code and a stable id of its own."""

import pytest

from bootstrap import errors
from bootstrap.errors import BootstrapError

ALL = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, BootstrapError)
]


@pytest.mark.parametrize(
    ("name", "exit_code"),
    [
        ("BootstrapError", 6),
        ("UsageError", 2),
        ("ConfigError", 2),
        ("HostError", 3),
        ("LockedError", 4),
        ("TimedOutError", 5),
        ("NotFoundError", 6),
        ("NotOursError", 7),
        ("VerifyError", 8),
        ("StateError", 9),
        ("LayoutError", 9),
        ("CancelledError", 130),
    ],
)
def test_the_exit_codes_are_those_that_were_promised(name: str, exit_code: int) -> None:
    """G-24."""
    assert getattr(errors, name).exit_code == exit_code
    assert len(ALL) == 12


def test_every_error_has_an_id_of_its_own() -> None:
    assert len({error.code for error in ALL}) == len(ALL)


def test_an_error_carries_its_three_parts() -> None:
    error = BootstrapError("Could not x.", details="y", hint="z")
    assert (str(error), error.details, error.hint) == ("Could not x.", "y", "z")
