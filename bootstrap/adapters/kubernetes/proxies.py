"""Tell the user when kubectl would go through a proxy that verification goes around (P-15)."""

import ipaddress
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass


def no_proxy_remark(server: str) -> str:
    """Give the line that kubectl needs in this environment; empty if it needs none."""
    host = urlsplit(server).hostname or ""
    proxies = getproxies_environment()
    if "https" not in proxies or _is_loopback(host) or proxy_bypass(host):
        return ""
    return f"; for kubectl: export NO_PROXY={','.join(filter(None, [proxies.get('no'), host]))}"


def _is_loopback(host: str) -> bool:
    # Go programs never ask a proxy for these (net/http.ProxyFromEnvironment).
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
