"""Join tokens are checked before they are sent, and never shown."""

import pytest

from bootstrap.adapters.kubernetes.tokens import expiry, join_token_secret
from bootstrap.errors import BootstrapError
from tests.fakes.api_server import NOW


@pytest.mark.parametrize(
    "token",
    [
        "",
        "abcdef",
        "ABCDEF.0123456789abcdef",
        "abcdef.0123456789abcde",
        "abcdef.0123456789abcdef\n",
        "../def.0123456789abcdef",
    ],
)
def test_what_is_not_a_join_token_is_refused_unseen(token: str) -> None:
    with pytest.raises(BootstrapError) as caught:
        join_token_secret(token, expires=NOW)
    assert not token or token not in f"{caught.value.message}{caught.value.details}"


def test_expiry_is_counted_from_now() -> None:
    assert (expiry(NOW, 90) - NOW).total_seconds() == 90
