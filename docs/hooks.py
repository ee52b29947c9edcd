"""Bring README.md and its neighbours onto the site that mkdocs builds (see mkdocs.yml).

Each has one text, which is read in the repository as well; only its links are led to the site.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
_LINK = re.compile(r"(?P<text>\[[^\]]+\])\((?P<path>[^)#:]+)(?P<anchor>#[^)]*)?\)")
#: Code that had better stay on one line, in a table.
_SHORT = re.compile(r"<code>(?=[^<]{1,40}</code>)")
#: What a browser would fetch by itself from another host.
_FETCHED = re.compile(r"""<(?:link|script|img)\b[^>]*(?:href|src)=["']?(https?:[^"' >]*)""")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the documents to the files of the site."""
    for name in DOCUMENTS:
        files.append(File.generated(config, name, content=(ROOT / name).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Lead each link of the repository to its place on the site."""
    if page.is_homepage:
        page.meta["hide"] = ["navigation"]  # which would be empty
    here = page.file.src_uri if page.file.src_uri in DOCUMENTS else f"docs/{page.file.src_uri}"
    return _LINK.sub(lambda link: _led(link, here), markdown)


def _led(link: re.Match[str], here: str) -> str:
    """Return a link of the document ``here``; what is not on the site becomes its text alone."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(here), link["path"]))
    if not (ROOT / target).exists():
        raise PluginError(f"{here}: there is no '{link['path']}'")
    if not (target in DOCUMENTS or target.startswith("docs/")):
        return link["text"].strip("[]")
    there, page = target.removeprefix("docs/"), here.removeprefix("docs/")
    return (
        f"{link['text']}({posixpath.relpath(there, posixpath.dirname(page))}{link['anchor'] or ''})"
    )


def on_page_content(html: str, **_: object) -> str:
    """Mark short code, which the style sheet keeps on one line."""
    return _SHORT.sub('<code class="short">', html)


def on_post_page(output: str, page: Page, **_: object) -> str:
    """Refuse a page that a reader without the internet would not see whole."""
    if fetched := _FETCHED.search(output):
        raise PluginError(f"{page.file.src_uri} fetches {fetched[1]}")
    return output
