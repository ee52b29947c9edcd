"""Ways in which a server answers wrongly, as changes of the right answer."""

from collections.abc import Callable
from dataclasses import replace

from tests.fakes.release_server import Answer, Fault, Request

PAGE = b"<!DOCTYPE html><html><body>Please log in to the network.</body></html>"
_HTML = {"Content-Type": "text/html; charset=utf-8"}


def status(code: int, **headers: str) -> Fault:
    """Answer with a status and no body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _request, _answer: Answer(
        status=code, headers={"Content-Length": "0"} | named, body=b""
    )


def redirect(to: str | Callable[[Request], str], code: int = 302) -> Fault:
    """Lead to another place."""

    def answer(request: Request, _answer: Answer) -> Answer:
        place = to if isinstance(to, str) else to(request)
        return Answer(status=code, headers={"Content-Length": "0", "Location": place})

    return answer


def ending(then: str, sent: int | None = None) -> Fault:
    """End the connection in some way after ``sent`` bytes of the body; of None, after half."""
    return lambda _request, answer: replace(
        answer, sent=len(answer.body) // 2 if sent is None else sent, then=then
    )


def body(change: Callable[[bytes], bytes], *, keep_length: bool = False) -> Fault:
    """Send another body, with its own length unless the old one is kept."""

    def answer(_request: Request, right: Answer) -> Answer:
        changed = change(right.body)
        length = right.headers.get("Content-Length", "") if keep_length else str(len(changed))
        return replace(right, body=changed, headers=right.headers | {"Content-Length": length})

    return answer


def headers(**changed: str | None) -> Fault:
    """Send other headers; None leaves one out."""
    named = {name.replace("_", "-"): value for name, value in changed.items()}

    def answer(_request: Request, right: Answer) -> Answer:
        whole = {**right.headers, **named}
        return replace(
            right, headers={name: value for name, value in whole.items() if value is not None}
        )

    return answer


def page(code: int = 200) -> Fault:
    """Answer with a web page, as a captive portal does."""
    length = {"Content-Length": str(len(PAGE))}
    return lambda _request, _answer: Answer(status=code, headers=_HTML | length, body=PAGE)


def plain_page(_request: Request, _answer: Answer) -> Answer:
    """Answer with a web page that says nothing of its type."""
    return Answer(headers={"Content-Length": str(len(PAGE))}, body=PAGE)


def flipped(at: int) -> Callable[[bytes], bytes]:
    """Change one byte of a body, counted from its end if it is negative."""

    def change(data: bytes) -> bytes:
        changed = bytearray(data)
        if changed:
            changed[min(at, len(changed) - 1)] ^= 0xFF
        return bytes(changed)

    return change
