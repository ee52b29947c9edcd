"""Render the files under ``templates/``.

Templates take values, never text to be pasted: every value goes through ``tojson``,
which is valid YAML and valid JSON, and a name that is not defined is an error.
"""

from collections.abc import Mapping
from functools import cache

import jinja2

from bootstrap.resources import resource_directory


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(resource_directory("templates")),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - nothing here is HTML; tojson escapes each value
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(template: str, values: Mapping[str, object]) -> str:
    """Fill one template, named by its path under ``templates/``, with ``values``."""
    return _environment().get_template(template).render(values)
