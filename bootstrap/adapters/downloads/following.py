"""Follow redirects, but never to a place that is less safe than the first."""

import contextlib
from collections.abc import Callable, Collection, Iterator
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3 import exceptions

from bootstrap.adapters.downloads.connections import Connections, without_password
from bootstrap.adapters.downloads.failures import judge, no_answer, portal, refused

_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

#: What a server says that is there and does not have the file.
_NO_FILE = frozenset({401, 404})

#: Tells whether a host may answer for another one.
Trust = Callable[[str], bool]


def anybody(_host: str) -> bool:
    """Trust every host: for a file whose digest is known."""
    return True


@contextlib.contextmanager
def opened(
    connections: Connections,
    url: str,
    headers: dict[str, str],
    trust: Trust,
    harmless: Collection[int] = (),
) -> Iterator[urllib3.BaseHTTPResponse]:
    """Yield the answer that has the file, with its body still to be read.

    An answer whose status is ``harmless`` is yielded whatever it says.

    :raises Passing: if another attempt may succeed, also while the block reads.
    :raises BootstrapError: if none can: the answer is no file, or its place is not safe.
    """
    shown = without_password(url)
    try:
        response = _followed(connections, url, headers, trust)
        try:
            if response.status not in harmless:
                judge(response, shown)
            yield response
        finally:
            response.close()
    except exceptions.HTTPError as error:
        raise no_answer(error, shown) from error


def answers(connections: Connections, url: str, trust: Trust) -> None:
    """Return if the server answers, whatever it says of the file.

    :raises Passing: if it does not answer now.
    :raises BootstrapError: if something else answers, or its place is not safe.
    """
    with opened(connections, url, {}, trust, _NO_FILE):
        pass


def _followed(
    connections: Connections, url: str, headers: dict[str, str], trust: Trust
) -> urllib3.BaseHTTPResponse:
    here, seen = url, {url}
    for _ in range(_MOST_REDIRECTS + 1):
        response = connections.get(here, headers)
        if response.status not in _REDIRECTS:
            return response
        response.close()
        there = urljoin(here, response.headers.get("Location", ""))
        _check(url, here, there, trust)
        if there in seen:
            raise refused(without_password(url), "its redirects lead in a circle")
        seen.add(there)
        here = there
    raise refused(without_password(url), f"it is redirected more than {_MOST_REDIRECTS} times")


def _check(url: str, here: str, there: str, trust: Trust) -> None:
    """Refuse a redirect to a place without TLS, or to a host that may not answer for this one."""
    first, old, new = (urlsplit(it) for it in (url, here, there))
    shown = without_password(url)
    if new.scheme not in ("http", "https") or not new.hostname:
        raise refused(shown, "it is redirected to what is no web address")
    if (old.scheme, new.scheme) == ("https", "http"):
        raise portal(shown, f"it is redirected to '{new.hostname}', without TLS")
    if new.hostname != first.hostname and not trust(new.hostname):
        raise refused(
            shown, f"it is redirected to '{new.hostname}', which is not known to answer for it"
        )
