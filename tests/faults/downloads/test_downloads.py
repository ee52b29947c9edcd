"""No download fault leaves a wrong file, or half of one, under its final name."""

import hashlib
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme

from bootstrap.adapters.downloads.fetch import Downloads, RemoteFile
from bootstrap.adapters.downloads.pace import Patience
from bootstrap.adapters.locks import locked
from bootstrap.errors import BootstrapError
from bootstrap.model.events import Status
from tests.fakes.events import FakeEvents
from tests.fakes.release_server import Answer, Fault, ReleaseServer, Request, serving
from tests.faults.downloads.toxics import (
    body,
    ending,
    flipped,
    headers,
    page,
    plain_page,
    redirect,
    status,
)

PATH = "/release/v1.37.2/bin/linux/amd64/kubelet"
CONTENT = bytes(hashlib.sha256(str(n).encode()).digest()[0] for n in range(40_000))
SHA256 = hashlib.sha256(CONTENT).hexdigest()
QUICK = Patience(connect_s=2, stall_s=0.3, slowest_bytes=1000, attempts=3, worthwhile_bytes=10_000)
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


class Case:
    """One server, one directory of downloads, and what both saw."""

    def __init__(self, server: ReleaseServer, directory: Path) -> None:
        self.server, self.directory = server, directory
        server.files[PATH] = CONTENT
        self.events = FakeEvents()
        self.slept: list[float] = []
        self.final = directory / SHA256
        self.partial = directory / f"{SHA256}.partial"

    @property
    def file(self) -> RemoteFile:
        return RemoteFile(url=self.server.url + PATH, sha256=SHA256, title="kubelet v1.37.2")

    @property
    def notes(self) -> list[str]:
        return self.events.notes

    def downloads(self) -> Downloads:
        return Downloads(self.directory, self.events, patience=QUICK, sleep=self.slept.append)

    def fetch(self) -> BootstrapError | None:
        """Fetch the file; whatever happens, a file under the final name is the right one."""
        failure: BootstrapError | None = None
        path = self.final
        try:
            path = self.downloads().fetch(self.file)
        except BootstrapError as error:
            failure = error
        if failure:
            assert not self.final.exists()
            assert failure.hint
            return failure
        assert path == self.final
        assert path.read_bytes() == CONTENT
        assert path.stat().st_mode & 0o777 == 0o600
        assert not self.partial.exists()
        return None


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*_PROXIES, "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    with serving() as server:
        yield Case(server, tmp_path / "downloads")


def test_a_file_is_fetched_once_and_then_taken_from_the_disk(case: Case) -> None:
    assert case.fetch() is None
    assert case.fetch() is None
    assert [request.path for request in case.server.requests] == [PATH]
    assert case.notes == []
    assert [(status, detail) for status, _, _, detail in case.events.seen] == [
        (Status.PROGRESS, "Downloading kubelet v1.37.2"),
        (Status.PROGRESS, "Downloading kubelet v1.37.2"),
    ]


def test_a_file_that_rotted_on_the_disk_is_fetched_again(case: Case) -> None:
    """I-02."""
    case.fetch()
    case.final.write_bytes(flipped(100)(CONTENT))
    assert case.fetch() is None
    assert len(case.server.requests) == 2


# Each toxic strikes at four places of the body. A server with ranges gives the rest only.
_TOXICS: dict[str, Callable[[int], Fault]] = {
    "truncated": lambda at: ending("close", at),
    "reset": lambda at: ending("reset", at),
    "stalled": lambda at: ending("stall", at),
    "dripping": lambda at: ending("drip", at),
    "flipped byte": lambda at: body(flipped(at)),
    "short, with its length": lambda at: body(lambda whole: whole[:at]),
    "too long": lambda at: body(lambda whole: whole[:at] + b"x" + whole[at:]),
    "other bytes from here": lambda at: body(lambda whole: whole[:at] + bytes(len(whole) - at)),
}
_PLACES = {"first byte": 0, "first kilobytes": 5000, "middle": 20_000, "last byte": 39_999}


@pytest.mark.parametrize("has_ranges", [True, False], ids=["ranges", "no ranges"])
@pytest.mark.parametrize("place", _PLACES)
@pytest.mark.parametrize("toxic", _TOXICS)
def test_a_toxic_leaves_the_right_file_or_none_under_its_final_name(
    case: Case, toxic: str, place: str, *, has_ranges: bool
) -> None:
    """G-17. One that passes ends in the file."""
    case.server.has_ranges = has_ranges
    case.server.faults = [_TOXICS[toxic](_PLACES[place])]
    assert case.fetch() is None
    case.final.unlink()
    case.server.always = _TOXICS[toxic](_PLACES[place])
    # Some bytes more each time is a bad line, which may end in the file too.
    was_fetched = case.fetch() is None
    assert was_fetched == case.final.exists()


#: Those that only the digest shows.
_OTHER_BYTES = {
    "wrong bytes once",
    "length too small",
    "no length, truncated",
    "changed between two parts",
    "other size between two parts",
}


def later(request: Request, answer: Answer) -> Answer:
    """Ask for a pause until a date that is 100 s away."""
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=100))
    return status(429, Retry_After=date)(request, answer)


# What a server answers once, and must cost no more than another attempt.
_PASSING: dict[str, list[Fault]] = {
    "429 with seconds": [status(429, Retry_After="7")],
    "429 with a date": [later],
    "429 with a date that is over": [status(429, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT")],
    "429 without a pause": [status(429)],
    "503 with words for a pause": [status(503, Retry_After="soon")],
    "500": [status(500)],
    "502, then 504": [status(502), status(504)],
    "reset before the answer": [lambda _request, _answer: Answer(then="reset", sent=0)],
    "reset in the body": [ending("reset")],
    "stalled body": [ending("stall")],
    "dripping body": [ending("drip")],
    "truncated body": [ending("close")],
    "no length, truncated": [
        lambda request, answer: headers(Content_Length=None)(
            request, ending("close")(request, answer)
        )
    ],
    "wrong bytes once": [body(flipped(3))],
    "length too great": [headers(Content_Length="50000")],
    "length too small": [headers(Content_Length="39000")],
    "range ignored": [ending("close"), lambda _request, _answer: whole()],
    "another range than asked for": [
        ending("close"),
        headers(Content_Range="bytes 7-39999/40000"),
    ],
    "range without a place": [ending("close"), headers(Content_Range=None)],
    "the rest in pieces": [ending("close"), lambda request, _answer: piece(request, 1000)],
    "no such range": [ending("close"), status(416)],
    "changed between two parts": [ending("close"), body(flipped(3)), headers()],
    "other size between two parts": [
        ending("close"),
        lambda _request, _answer: Answer(status=200, headers={"Content-Length": "3"}, body=b"old"),
    ],
    "a redirect": [redirect(f"{PATH}?mirror=2")],
    "a redirect for good to another host": [
        redirect(lambda request: f"http://localhost:{port_of(request)}{PATH}?elsewhere", 308)
    ],
    "a relative redirect": [redirect("kubelet?mirror=2", 307)],
}


def whole() -> Answer:
    return Answer(headers={"Content-Length": str(len(CONTENT))}, body=CONTENT)


def piece(request: Request, length: int) -> Answer:
    """Give less of the rest than there is, as some caches do."""
    end = min(request.start + length, len(CONTENT))
    place = f"bytes {request.start}-{end - 1}/{len(CONTENT)}"
    part = CONTENT[request.start : end]
    return Answer(
        status=206, headers={"Content-Length": str(len(part)), "Content-Range": place}, body=part
    )


def port_of(request: Request) -> str:
    return request.headers["Host"].rpartition(":")[2]


@pytest.mark.parametrize("fault", _PASSING)
def test_what_passes_ends_in_the_right_file(case: Case, fault: str) -> None:
    case.server.faults = list(_PASSING[fault])
    for name in ("elsewhere", "mirror=2"):
        case.server.files[f"{PATH}?{name}"] = CONTENT
    assert case.fetch() is None
    assert any("fails its SHA-256" in note for note in case.notes) == (fault in _OTHER_BYTES)


@pytest.mark.parametrize(
    ("fault", "least", "most"),
    [("429 with seconds", 7, 7), ("429 with a date", 90, 100), ("500", 1, 1)],
)
def test_a_pause_is_as_long_as_the_server_asks(
    case: Case, fault: str, least: float, most: float
) -> None:
    case.server.faults = list(_PASSING[fault])
    case.fetch()
    (slept,) = case.slept
    assert least <= slept <= most


def test_pauses_that_no_server_asks_for_grow(case: Case) -> None:
    case.server.faults = [status(500), status(500)]
    assert case.fetch() is None
    assert case.slept == [1, 2]


# What a server answers always: the message, and after how many requests.
_LASTING: dict[str, tuple[Fault, str, int]] = {
    "404": (status(404), "answers 404: it does not have the file", 1),
    "403": (status(403), "answers 403: it refuses the file", 1),
    "401": (status(401), "answers 401: it asks for a user", 1),
    "410": (status(410), "answers 410: it has the file no longer", 1),
    "204": (status(204), "answers 204: it gives no file", 1),
    "304": (status(304), "answers 304: it gives no file", 1),
    "500 for ever": (status(500), "the server answers 500", 3),
    "429 for ever": (status(429, Retry_After="1"), "the server answers 429", 3),
    "429 for an hour": (status(429, Retry_After="3600"), "wants a pause of 3600 s", 1),
    "redirect to itself": (redirect(PATH), "lead in a circle", 1),
    "redirects between two": (
        redirect(lambda request: f"{PATH}?{'b' if request.path.endswith('?a') else 'a'}"),
        "lead in a circle",
        3,
    ),
    "redirects without end": (
        redirect(lambda request: f"{request.path}x"),
        "redirected more than 5 times",
        6,
    ),
    "redirect to no web address": (redirect("ftp://127.0.0.1/x"), "what is no web address", 1),
    "redirect without a place": (status(302), "lead in a circle", 1),
    "captive portal": (page(), "a web page came instead", 1),
    "captive portal with its own status": (page(511), "a web page came instead", 1),
    "page without a type": (plain_page, "not the file that is wanted", 2),
    "proxy that wants a user": (status(407), "the proxy refuses", 1),
    "wrong bytes": (body(flipped(3)), "not the file that is wanted", 2),
    "empty file": (body(lambda _: b""), "not the file that is wanted", 2),
    "another file": (body(lambda _: b"another version"), "not the file that is wanted", 2),
    "huge file": (headers(Content_Length=str(3 << 30)), "more than any file", 1),
    "more than the disk holds": (headers(Content_Length=str((2 << 30) - 1)), "no room", 1),
    "reset for ever": (ending("reset", 0), "the connection", 3),
    "stalled for ever": (ending("stall", 100), "the server sends nothing more", 3),
    "dripping for ever": (ending("drip", 100), "bytes came in", 3),
    "truncated for ever": (ending("close", 100), "broke off", 3),
}


@pytest.mark.parametrize("fault", _LASTING)
def test_what_lasts_ends_in_an_error_that_names_it(
    case: Case, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    always, words, requests = _LASTING[fault]
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1 << 30))
    case.server.always = always
    error = case.fetch()
    assert error is not None
    assert re.search(words, f"{error.message} {error.details}")
    assert len(case.server.requests) == requests
    assert error.exit_code in (3, 6)
    assert set(case.directory.glob("[!.]*")) <= {case.partial}


def test_progress_on_a_bad_line_counts_more_than_failed_attempts(case: Case) -> None:
    """Of a file that comes in seven pieces no attempt is lost."""
    case.server.always = lambda request, answer: ending("close", 12_000 - request.start % 7)(
        request, answer
    )
    assert case.fetch() is None
    assert len(case.server.requests) == 4


def test_a_server_that_is_not_there(case: Case) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}{PATH}"
        with pytest.raises(BootstrapError, match="the server is not there"):
            case.downloads().fetch(RemoteFile(url=url, sha256=SHA256, title="kubelet"))


def test_a_name_that_nobody_knows(case: Case) -> None:
    url = f"http://nowhere.invalid{PATH}"
    with pytest.raises(BootstrapError, match="name of the server is not known here"):
        case.downloads().fetch(RemoteFile(url=url, sha256=SHA256, title="kubelet"))


# TLS.


def tls(authority: trustme.CA, *names: str, until: datetime | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, not_after=until).configure_cert(context)
    return context


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """The user trusts it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return authority


def test_a_server_with_a_certificate_of_an_authority_that_the_user_trusts(
    authority: trustme.CA, tmp_path: Path
) -> None:
    with serving(tls(authority, "127.0.0.1")) as server:
        assert Case(server, tmp_path / "downloads").fetch() is None


_CERTIFICATES: dict[str, tuple[Callable[[trustme.CA], ssl.SSLContext], str]] = {
    "of another name": (lambda ca: tls(ca, "other.example"), "not valid for '127.0.0.1'"),
    "expired": (
        lambda ca: tls(ca, "127.0.0.1", until=datetime(2020, 1, 1, tzinfo=UTC)),
        "certificate has expired",
    ),
    "of a foreign authority": (lambda _: tls(trustme.CA(), "127.0.0.1"), "unable to get local"),
}


@pytest.mark.parametrize("certificate", _CERTIFICATES)
def test_a_certificate_that_is_not_trusted_ends_it_at_once(
    authority: trustme.CA, tmp_path: Path, certificate: str
) -> None:
    make, words = _CERTIFICATES[certificate]
    with serving(make(authority)) as server:
        case = Case(server, tmp_path / "downloads")
        error = case.fetch()
    assert error is not None
    assert "certificate is not trusted" in error.message
    assert words in error.details
    assert case.slept == []
    assert server.requests == []


def test_a_redirect_from_tls_to_plain_http_is_refused(
    authority: trustme.CA, tmp_path: Path
) -> None:
    with serving(tls(authority, "127.0.0.1")) as server, serving() as plain:
        case = Case(server, tmp_path / "downloads")
        plain.files[PATH] = CONTENT
        server.always = redirect(plain.url + PATH)
        error = case.fetch()
    assert error is not None
    assert "redirected to '127.0.0.1', without TLS" in error.details
    assert plain.requests == []


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_of_authorities_that_cannot_be_used_is_named(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    bundle = tmp_path / "own.pem"
    if content is not None:
        bundle.write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    error = case.fetch()
    assert error is not None
    assert f"File '{bundle}', which SSL_CERT_FILE names, cannot be used." in error.message


# Proxies.


def as_proxy(request: Request, _missing: Answer) -> Answer:
    """Answer for every host."""
    return whole() if request.path.endswith(PATH) else Answer(status=403)


@pytest.mark.shows_secrets("output")
def test_a_proxy_is_used_with_its_user_and_named_without(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = case.server.url.removeprefix("http://")
    monkeypatch.setenv("http_proxy", f"http://user:p%40ss@{place}")
    case.server.other = as_proxy
    file = RemoteFile(url=f"http://mirror.invalid{PATH}", sha256=SHA256, title="kubelet")
    assert case.downloads().fetch(file).read_bytes() == CONTENT
    (request,) = case.server.requests
    assert request.path == f"http://mirror.invalid{PATH}"
    assert request.headers["Proxy-Authorization"] == "Basic dXNlcjpwQHNz"


@pytest.mark.parametrize("excepted", ["127.0.0.1", "*"])
def test_a_host_that_no_proxy_names_is_reached_without_it(
    case: Case, monkeypatch: pytest.MonkeyPatch, excepted: str
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", excepted)
    assert case.fetch() is None


_SICK_PROXIES: dict[str, tuple[Fault, str]] = {
    "refuses the host": (status(403), "Tunnel connection failed: 403"),
    "wants a user": (status(407), "Tunnel connection failed: 407"),
}


@pytest.mark.parametrize("proxy", _SICK_PROXIES)
def test_a_proxy_that_does_not_lead_to_the_server(
    case: Case, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    fault, words = _SICK_PROXIES[proxy]
    place = case.server.url.removeprefix("http://")
    monkeypatch.setenv("https_proxy", f"http://user:secret@{place}")
    case.server.always = fault
    with pytest.raises(BootstrapError, match="the proxy refuses") as caught:
        case.downloads().fetch(
            RemoteFile(url=f"https://mirror.invalid{PATH}", sha256=SHA256, title="kubelet")
        )
    assert words in caught.value.details
    assert "secret" not in f"{caught.value} {caught.value.details} {case.notes}"
    assert caught.value.exit_code == 3


def test_a_proxy_that_is_not_there(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    error = case.fetch()
    assert error is not None
    assert "the proxy does not answer" in error.message


def test_a_proxy_of_another_kind_is_refused(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1")
    error = case.fetch()
    assert error is not None
    assert "not one of HTTP" in error.message


# Texts whose content is not known before.


def known(host: str) -> bool:
    return host == "localhost"


def read(case: Case) -> bytes:
    return case.downloads().read(case.file.url, trust=known)


@pytest.mark.parametrize(
    "fault", [status(500), ending("reset"), ending("close"), status(429, Retry_After="1")]
)
def test_a_text_is_read_in_spite_of_a_fault_that_passes(case: Case, fault: Fault) -> None:
    case.server.faults = [fault]
    assert read(case) == CONTENT


_NO_TEXTS: dict[str, tuple[Fault, str]] = {
    "page": (page(), "a web page came instead"),
    "page without a type": (plain_page, "it begins like a web page"),
    "redirect to a host that is not known": (
        redirect(lambda request: f"http://127.0.0.2:{port_of(request)}{PATH}"),
        "is not known to answer for it",
    ),
    "text without end": (body(lambda whole: whole * 200), "too long"),
    "part that was not asked for": (
        lambda request, _answer: piece(Request(path=request.path, start=5), 9),
        "a part of the file that was not asked for",
    ),
    "no such range": (status(416), "a part of the file that was not asked for"),
    "nothing for ever": (status(503), "the server answers 503"),
}


@pytest.mark.parametrize("fault", _NO_TEXTS)
def test_what_is_no_text_of_that_server_is_refused(case: Case, fault: str) -> None:
    case.server.always, words = _NO_TEXTS[fault]
    with pytest.raises(BootstrapError) as caught:
        read(case)
    assert words in f"{caught.value.message} {caught.value.details}"


def test_a_text_may_come_from_a_host_that_is_known_to_answer_for_it(case: Case) -> None:
    case.server.faults = [redirect(lambda request: f"http://localhost:{port_of(request)}{PATH}")]
    assert read(case) == CONTENT


def test_what_is_left_of_downloads_is_pruned_but_not_what_comes_now(case: Case) -> None:
    case.server.always = ending("close", 100)
    assert case.fetch() is not None
    case.final.touch()
    with locked(case.directory / ".locks" / f"{SHA256}.lock", what="the download"):
        assert case.downloads().prune() == []
    assert case.downloads().prune() == [f"download-{SHA256}", f"download-{SHA256}.partial"]
    assert not case.partial.exists()
