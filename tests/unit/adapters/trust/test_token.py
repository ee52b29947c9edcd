import re

from bootstrap.adapters.trust.token import make_bootstrap_token


def test_a_token_is_as_kubeadm_wants_it() -> None:
    """kubeadm's own pattern (cluster-bootstrap/token/api)."""
    for _ in range(200):
        assert re.fullmatch(r"[a-z0-9]{6}\.[a-z0-9]{16}", make_bootstrap_token())


def test_no_two_tokens_are_alike() -> None:
    assert len({make_bootstrap_token() for _ in range(200)}) == 200
