"""How old a node image's packages may be before a run says what to type."""

import pytest

from bootstrap.model.images import age_advice

NOW = "2030-03-02T00:00:00+00:00"


@pytest.mark.parametrize(
    ("fetched", "age"),
    [
        ("2030-03-03T00:00:00+00:00", None),  # a clock that was set back
        ("2030-03-02T00:00:00+00:00", None),
        ("2030-01-31T00:00:00+00:00", None),
        ("2030-01-30T23:59:59+00:00", "are 30 days old"),
        ("2029-03-02T00:00:00+00:00", "are 365 days old"),
        ("", "is unknown"),
    ],
)
def test_packages_older_than_a_month_come_with_the_command_that_fetches_new_ones(
    fetched: str, age: str | None
) -> None:
    advice = age_advice(fetched, NOW)
    if age is None:
        assert advice == ""
    else:
        assert f" {age}. " in advice
        assert "'bootstrap image build --refresh'" in advice
