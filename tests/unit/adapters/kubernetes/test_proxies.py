"""When the user is told to keep kubectl away from a proxy (P-15)."""

import pytest

from bootstrap.adapters.kubernetes.proxies import no_proxy_remark


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "http_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_without_a_proxy_there_is_nothing_to_say() -> None:
    assert no_proxy_remark("https://192.0.2.10:6443") == ""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_kubectl_never_asks_a_proxy_for_loopback(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert no_proxy_remark(f"https://{host}:6443") == ""


def test_an_address_that_goes_through_the_proxy_gets_the_line_to_type(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "example.org")
    remark = no_proxy_remark("https://192.0.2.10:6443")
    assert remark.endswith("export NO_PROXY=example.org,192.0.2.10")


def test_an_address_that_is_excepted_already_needs_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "192.0.2.10")
    assert no_proxy_remark("https://192.0.2.10:6443") == ""
