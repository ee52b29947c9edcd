"""Say why a download failed, and whether another attempt may help."""

import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import urllib3
from urllib3 import exceptions

from bootstrap.errors import BootstrapError, HostError

_DOCTOR = "bootstrap doctor"
_OK, _PARTIAL, _RANGE = 200, 206, 416
_PROXY_WANTS_USER, _PORTAL = 407, 511
#: What may be otherwise soon.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
_SAID = {
    401: "it asks for a user and a password",
    403: "it refuses the file",
    404: "it does not have the file",
    410: "it has the file no longer",
}


#: The first that fits; some are kinds of others.
_NO_ANSWERS: dict[type[Exception], str] = {
    exceptions.NameResolutionError: "the name of the server is not known here",
    exceptions.ProxyError: "the proxy does not answer",
    exceptions.NewConnectionError: "the server is not there",
    exceptions.ConnectTimeoutError: "the server does not answer",
    exceptions.ReadTimeoutError: "the server sends nothing more",
    exceptions.IncompleteRead: "the connection broke off before the end",
}


class Passing(Exception):  # noqa: N818 - it is a state, not yet a failure
    """Another attempt may succeed; ``pause_s`` is what the server asked for, if it did."""

    def __init__(self, reason: str, pause_s: float | None = None) -> None:
        super().__init__(reason)
        self.pause_s = pause_s


class WrongRange(Exception):  # noqa: N818 - it is a state, not yet a failure
    """The server did not give the rest of the file; the file has to be fetched whole."""


def host_error(message: str, *, details: str, hint: str = _DOCTOR) -> HostError:
    """Return the error of a network that keeps this host from a server."""
    return HostError(message, details=details, hint=hint)


def refused(url: str, reason: str) -> BootstrapError:
    """Return the error of an answer that will not change."""
    return BootstrapError(f"Could not fetch '{url}': {reason}.", hint=_DOCTOR)


def portal(url: str, details: str) -> HostError:
    """Return the error of a page that came instead of the file."""
    return host_error(
        f"Could not fetch '{url}': a web page came instead of the file.",
        details=f"{details}\nA captive portal or a proxy between here and there answers for it.",
    )


def judge(response: urllib3.BaseHTTPResponse, url: str) -> None:
    """Let the answers pass whose body is the file or a part of it.

    :raises Passing: for an answer that may be another one soon.
    :raises WrongRange: if the server has no such part.
    :raises BootstrapError: for every other answer.
    """
    status = response.status
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if status in (_OK, _PARTIAL) and kind in ("text/html", "application/xhtml+xml"):
        raise portal(url, f"its type is {kind}")
    if status in (_OK, _PARTIAL):
        return
    if status == _RANGE:
        raise WrongRange
    if status in _PASSING:
        raise Passing(f"the server answers {status}", _pause(response.headers.get("Retry-After")))
    if status == _PORTAL:
        raise portal(url, "its status is 511, Network Authentication Required")
    if status == _PROXY_WANTS_USER:
        raise proxy_error(url, "it answers 407: it asks for a user and a password")
    raise refused(url, f"the server answers {status}: {_SAID.get(status, 'it gives no file')}")


def proxy_error(url: str, details: str) -> HostError:
    """Return the error of a proxy that does not lead to the server."""
    return host_error(
        f"Could not fetch '{url}': the proxy refuses the connection.",
        details=details,
        hint="export HTTPS_PROXY=http://user:password@proxy.example:3128",
    )


def no_answer(error: exceptions.HTTPError, url: str) -> Passing:
    """Judge a request that got no answer, or an answer that broke off.

    :raises HostError: if another attempt cannot help.
    """
    causes = list(_causes(error))
    untrusted = next((it for it in causes if isinstance(it, ssl.SSLCertVerificationError)), None)
    if untrusted is not None:
        raise host_error(
            f"Could not fetch '{url}': the server's certificate is not trusted.",
            details=untrusted.verify_message or str(untrusted),
            hint="export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
        ) from error
    if isinstance(error, exceptions.ProxyError):
        refusal = next((it for it in causes if "Tunnel connection failed" in str(it)), None)
        if refusal is not None:
            raise proxy_error(url, str(refusal)) from error
    return Passing(_plain(error))


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in found:
        found.append(following)
        inner = [it for it in following.args if isinstance(it, BaseException)]
        original = getattr(following, "original_error", None)
        following = original or (
            inner[0] if inner else following.__cause__ or following.__context__
        )
    return found


def _plain(error: exceptions.HTTPError) -> str:
    causes = _causes(error)
    for kind, text in _NO_ANSWERS.items():
        if any(isinstance(cause, kind) for cause in causes):
            return text
    return f"the connection failed ({type(causes[-1]).__name__})"


def _pause(text: str | None) -> float | None:
    """Read a Retry-After: seconds, or a date; None if there is none that can be read."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (until.astimezone(UTC) - datetime.now(UTC)).total_seconds())
