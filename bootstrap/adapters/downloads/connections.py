"""HTTP connections as the user's environment wants them: proxies and certificate authorities."""

import os
import ssl
from base64 import b64encode
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3

from bootstrap.adapters.downloads.failures import host_error
from bootstrap.errors import HostError

_AGENT = "bootstrap"
#: Where distributions keep the authorities that the administrator trusts, in one file.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
)


class Connections:
    """Opens connections; honours HTTP_PROXY, HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE, SSL_CERT_DIR."""

    def __init__(self, *, connect_s: float, read_s: float) -> None:
        """Limit how long a connection may take to open, and how long it may be silent."""
        self._timeout = urllib3.Timeout(connect=connect_s, read=read_s)
        self._managers: dict[str, urllib3.PoolManager] = {}

    def get(self, url: str, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        """Send one request without following redirects; the body is still to be read.

        :raises urllib3.exceptions.HTTPError: if there is no answer.
        :raises HostError: if the environment names what cannot be used.
        """
        sent = {"User-Agent": _AGENT, "Accept-Encoding": "identity"} | headers | _user(url)
        return self._manager(proxy_for(url)).request(
            "GET",
            without_password(url),
            headers=sent,
            redirect=False,
            retries=False,
            preload_content=False,
            decode_content=False,
            timeout=self._timeout,
        )

    def _manager(self, proxy: str) -> urllib3.PoolManager:
        if proxy not in self._managers:
            self._managers[proxy] = self._proxied(proxy) if proxy else self._direct()
        return self._managers[proxy]

    def _direct(self) -> urllib3.PoolManager:
        return urllib3.PoolManager(ssl_context=self._tls)

    def _proxied(self, proxy: str) -> urllib3.PoolManager:
        parts = urlsplit(proxy)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise host_error(
                "The proxy of this environment cannot be used: its address is not one of HTTP.",
                details=f"scheme '{parts.scheme}', host '{parts.hostname or ''}'",
                hint="export HTTPS_PROXY=http://proxy.example:3128",
            )
        return urllib3.ProxyManager(
            f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
            proxy_headers=_user(proxy, "Proxy-Authorization"),
            ssl_context=self._tls,
        )

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        chosen = os.environ.get("SSL_CERT_FILE")
        try:
            return ssl.create_default_context(cafile=chosen or None)
        except OSError as error:
            raise _unusable_bundle(str(chosen), error) from error


def proxy_for(url: str) -> str:
    """Return the address of the proxy that the environment wants for a URL, or nothing."""
    parts = urlsplit(url)
    if proxy_bypass(parts.netloc.rpartition("@")[2]):
        return ""
    proxies = getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all") or ""
    return f"http://{found}" if found and "://" not in found else found


def _user(url: str, header: str = "Authorization") -> dict[str, str]:
    """Return the header with the user and the password of an address, if it has them."""
    parts = urlsplit(url)
    if parts.username is None:
        return {}
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {header: f"Basic {b64encode(user.encode()).decode()}"}


def without_password(url: str) -> str:
    """Return an address without the user and the password in it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def authorities() -> Path | None:
    """Return the file of the authorities that this host trusts, if it has them in one file."""
    chosen = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    places = [chosen] if chosen else _BUNDLES
    return next((Path(place) for place in places if Path(place).is_file()), None)


def _unusable_bundle(path: str, error: OSError) -> HostError:
    return host_error(
        f"File '{path}', which SSL_CERT_FILE names, cannot be used.",
        details=str(error) or type(error).__name__,
        hint="export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
    )
