"""Look into SVG and HTML that we made: that it is whole, and that no value became a part of it."""

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

#: Text that would do harm if a page or a picture held it as it is, or that no XML may hold.
CANARIES = (
    "<script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></text></svg></style><img src=x onerror=alert(1)>",
    "]]><!--",
    "&lt;b&gt;&amp;",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "url(https://example.com/x)",
)
#: Of which nothing may be left.
BROKEN = "\x00\x0b\x1b[2J\ufffe\uffff\ud800\u202e"
HOSTILE = " ".join(CANARIES) + BROKEN + "end"

_SVG = "{http://www.w3.org/2000/svg}"
_SHAPES = re.findall(
    r"\w+", "svg title desc style defs pattern line rect text g path polyline circle"
)
_PAGE = re.findall(
    r"\w+",
    "html head meta title style body main h1 h2 p div section strong table thead tbody tr th td",
)
#: Elements of HTML that have no end.
_VOID = {"meta"}


def read_svg(text: str) -> ET.Element:
    """Parse a picture, which must hold nothing but shapes and must load nothing."""
    root = ET.fromstring(text)  # noqa: S314 - our own text
    for element in root.iter():
        assert element.tag.removeprefix(_SVG) in _SHAPES, element.tag
        for name, value in element.attrib.items():
            _check_attribute(name, value)
    _check_text(text)
    return root


def texts_of(root: ET.Element) -> str:
    """Return all that a reader of a picture may see, and hover texts."""
    parts = [(element.text or "") for element in root.iter() if element.tag != f"{_SVG}style"]
    return "\n".join(parts)


class Page(HTMLParser):
    """A page that was read: its texts and the names of its elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        _check_text(text)
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {*_PAGE, *_SHAPES}, tag
        for name, value in attrs:
            _check_attribute(name, value or "")
            if name == "id":
                self.ids.append(value or "")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)


def _check_attribute(name: str, value: str) -> None:
    assert not name.startswith("on"), name
    assert "href" not in name, name
    assert name in {"content", "class"} or "alert" not in value, value


def _check_text(text: str) -> None:
    """Check that nothing is fetched from elsewhere, whatever the browser makes of it."""
    assert re.findall(r"(?:src|href|srcset|action)\s*=", text.replace("src=x", "")) == []
    assert re.findall(r"@import|url\((?!#[\w-]+\))", text.replace(CANARIES[-1], "")) == []
    assert re.findall(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]", text) == []
