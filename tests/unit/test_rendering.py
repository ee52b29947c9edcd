"""Templates take values and never text."""

import json

import jinja2
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.rendering import _environment, render

anything = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]))


def test_a_name_that_is_not_defined_is_an_error() -> None:
    with pytest.raises((jinja2.UndefinedError, TypeError), match="ndefined"):
        render("seed/meta-data.yaml.j2", {"hostname": "x"})


@given(anything)
def test_a_value_is_the_same_text_in_json_and_in_yaml(value: str) -> None:
    text = _environment().from_string("{{ value | tojson }}").render(value=value)
    assert json.loads(text) == value
    assert yaml.safe_load(text) == value


@pytest.mark.parametrize(
    "value", ["\U0001f600", "\\ud83d\\ude00", "\x7f", "\x00", "\\\\u007f", "é"]
)
def test_a_character_that_json_and_yaml_write_apart_is_kept(value: str) -> None:
    text = _environment().from_string("{{ value | tojson }}").render(value=value)
    assert (json.loads(text), yaml.safe_load(text)) == (value, value)


@pytest.mark.parametrize(
    ("template", "is_escaped"),
    [("a.svg.j2", True), ("a.html.j2", True), ("a.yaml.j2", False), ("a.css.j2", False)],
)
def test_values_are_escaped_in_templates_of_markup_only(template: str, *, is_escaped: bool) -> None:
    loader = jinja2.DictLoader({template: "{{ value }}"})
    text = _environment().overlay(loader=loader).get_template(template).render(value="<\x00\ud800>")
    assert text == ("&lt;\ufffd&gt;" if is_escaped else "<\x00\ud800>")


@pytest.mark.parametrize(
    ("value", "roff"),
    [
        ("a-b  c\n d", r"a\-b c d"),
        (".TH x", r"\&.TH x"),
        ("'x", r"\&'x"),
        (r"\fBx", r"\efBx"),
        ("Run `up -q` now", r"Run \fBup \-q\fR now"),
    ],
)
def test_text_means_itself_in_a_manual_page(value: str, roff: str) -> None:
    loader = jinja2.DictLoader({"page.1.j2": "{{ value | roff }}"})
    page = _environment().overlay(loader=loader).get_template("page.1.j2")
    assert page.render(value=value) == roff
