"""The reference pages that are made from the code are those that it makes now."""

import pytest

from docs.reference.generate.pages import PAGES, REFERENCE


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_the_code_makes(name: str) -> None:
    """To write all of them anew: make generated."""
    assert (REFERENCE / name).read_text(encoding="utf-8") == PAGES[name]()
