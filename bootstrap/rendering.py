"""Render the files under ``templates/``.

Templates take values, never text to be pasted, and a name that is not defined is an error. In
those of SVG and HTML each value is escaped; in manual pages it goes through ``roff``, in all others
through ``tojson``, which is valid YAML and valid JSON.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from bootstrap.resources import resource_directory
from bootstrap.terminal import without_control_codes

if TYPE_CHECKING:
    import jinja2
    from jinja2.nodes import EvalContext

#: JSON's escapes as whole units, those for characters beyond 16 bits first, and DEL.
_UNIT = re.compile(r"\\(?:ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|.)|\x7f")
_PAIR_LENGTH = 12
#: Templates whose values are escaped.
_MARKUP = ("svg.j2", "html.j2")
#: What no XML document may hold, escaped or not, beside control codes.
_NOT_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@cache
def _environment() -> "jinja2.Environment":
    import jinja2  # noqa: PLC0415 - most commands render nothing

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(resource_directory("templates")),
        undefined=jinja2.StrictUndefined,
        autoescape=jinja2.select_autoescape(_MARKUP, default=False),
        finalize=jinja2.pass_eval_context(_finalized),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.policies["json.dumps_function"] = _dumps
    environment.filters["roff"] = _roff
    return environment


def render(template: str, values: Mapping[str, object]) -> str:
    """Fill one template, named by its path under ``templates/``, with ``values``."""
    return _environment().get_template(template).render(values)


def _finalized(context: "EvalContext", value: object) -> object:
    """Keep what would break a document of markup, or turn its text around, out of it."""
    if context.autoescape and isinstance(value, str) and not hasattr(value, "__html__"):
        return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", without_control_codes(value))
    return value


def _dumps(value: object, **options: bool) -> str:
    """Dump JSON that means the same as YAML, which knows no surrogates and forbids a raw DEL."""
    return _UNIT.sub(_as_yaml, json.dumps(value, **options))  # type: ignore[arg-type]


def _as_yaml(unit: re.Match[str]) -> str:
    if unit[0] == "\x7f":
        return "\\u007f"
    if len(unit[0]) == _PAIR_LENGTH:
        return str(json.loads(f'"{unit[0]}"'))
    return unit[0]


def _roff(value: str) -> str:
    """Write text so that it means itself in a manual page; what is in backticks is bold."""
    text = " ".join(value.split()).replace("\\", "\\e").replace("-", "\\-")
    words = text.split("`")
    bold = (rf"\fB{word}\fR" if place % 2 else word for place, word in enumerate(words))
    # A line that begins with either sign would be a request.
    return rf"\&{''.join(bold)}" if text.startswith((".", "'")) else "".join(bold)
