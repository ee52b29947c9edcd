import copy
import json
import uuid
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bootstrap.adapters.kubeconfig.editing import edited
from bootstrap.adapters.kubeconfig.reading import parse
from bootstrap.model.kubeconfig import build_kubeconfig, marked, merged, unmerged
from bootstrap.model.names import ClusterName

DEMO = ClusterName("demo")
INSTALL = uuid.UUID(int=1)
OURS = marked(build_kubeconfig(DEMO, "https://127.0.0.1:6443", "ca", "crt", "key"), INSTALL)

COMMENTED = """\
# my clusters, do not touch
apiVersion: v1
kind: Config
clusters:
# production
- cluster:
    server: "https://prod"   # careful
    x: &a {p: 1.30, d: 2024-01-01T00:00:00Z, e: 010, no: no, g: 1e3, i: ~, t: 12:30:45}
  name: prod
# staging

- name: staging
  cluster:
    <<: *a
    certificate-authority-data: |
      text
# people
users:
  - name: me   # indented more
    user: {token: 'x'}

# ways
contexts: [] # none yet
current-context: ""  # nothing
preferences: {}
# the end
"""


def merge(text: str) -> str:
    before = parse(text)
    return edited(text, before, merged(before, OURS, use=False))


def unmerge(text: str) -> str:
    before = parse(text)
    return edited(text, before, unmerged(before, DEMO, INSTALL).document)


def test_merging_keeps_every_foreign_line() -> None:
    """H-20: comments, quotes, anchors and numbers stay as they were written."""
    result = merge(COMMENTED).splitlines()
    changed = {"contexts: [] # none yet", 'current-context: ""  # nothing'}
    rest = iter(result)
    assert all(line in rest for line in COMMENTED.splitlines() if line not in changed)


def test_merging_says_what_the_model_says() -> None:
    before = parse(COMMENTED)
    assert parse(merge(COMMENTED)) == merged(before, OURS, use=False)


def test_unmerging_gives_back_the_first_text() -> None:
    """G-12, on bytes; only the two values that we changed are written anew."""
    plain = COMMENTED.replace(" # none yet", "").replace('""  # nothing', "''")
    assert unmerge(merge(COMMENTED)) == plain


def test_comments_around_our_entries_outlive_them() -> None:
    """H-20."""
    text = merge(COMMENTED).replace("# people\n", "# after ours\n# people\n")
    text = text.replace(
        "- name: bootstrap-demo\n  cluster", "# ours\n- name: bootstrap-demo\n  cluster"
    )
    assert text.count("# ours\n") == 1
    result = unmerge(text)
    assert "# ours\n# after ours\n# people\n" in result


@pytest.mark.parametrize("text", ["", "---\n", "{}", "null\n", "kind: Config"])
def test_an_empty_file_becomes_a_kubeconfig(text: str) -> None:
    assert parse(merge(text)) == merged(parse(text), OURS, use=False)


def test_a_file_of_comments_keeps_them() -> None:
    assert merge("# mine").startswith("# mine\napiVersion: v1\n")


@pytest.mark.parametrize(
    "text",
    [
        '{"kind": "Config", "clusters": [{"name": "a", "cluster": {"x": 1e3}}]}',
        "{kind: Config, clusters: [{name: a, cluster: {}}]}",
        "base: &b\n  clusters: [{name: a, cluster: {}}]\n<<: *b\nkind: Config\n",
        "kind: Config\nclusters:\n-\n  name: a\n  cluster: {}\n-  \n  name: b\n  cluster:\n",
        "kind: Config\r\nclusters:\r\n- name: a\r\n  cluster: {}\r\n",
        "---\nkind: Config\nclusters: \n...\n",
        "  kind: Config\n  clusters:\n  - name: a\n    cluster: {}\n",
        "clusters: &a\n- name: a\n  cluster: {y: .nan}\nx: *a",
    ],
)
def test_unusual_styles_keep_their_content(text: str) -> None:
    before = parse(text)
    result = unmerge(merge(text))
    assert repr(parse(result).get("clusters") or []) == repr(before.get("clusters") or [])
    assert "bootstrap-demo" in merge(text)


@pytest.mark.parametrize(
    "text",
    [
        "users:\n- name: a\n  user:\n    hint: Install the plugin for use by following\n      https://x\n",
        "kind: Config\r\nclusters:\r\n- name: a\r\n  cluster: {}\r\n",
        "clusters:\n-   name: a\n    cluster:\n        server: x\n",
        "clusters:\n-\n  name: a\n  cluster: {i: ~, d: null, h: [{a: b,\n    c: d}]}\n",
        "base: &b\n  preferences: {}\n<<: *b\nkind: Config\n",
        'x: "\\u00e9 \\x41 \\\n  b"\nkind: Config\n',
    ],
    ids=["folded", "crlf", "indent", "nulls", "merge key", "escapes"],
)
def test_foreign_bytes_stay_in_any_style(text: str) -> None:
    """H-20: what a YAML library would write in its own style."""
    rest = iter(merge(text).splitlines(keepends=True))
    assert all(line in rest for line in text.splitlines(keepends=True))
    assert unmerge(merge(text)).startswith(text)


def test_json_stays_json() -> None:
    assert json.loads(merge('{"kind": "Config"}'))["users"] == OURS["users"]


def test_nothing_changes_if_nothing_changes() -> None:
    assert edited(COMMENTED, parse(COMMENTED), copy.deepcopy(parse(COMMENTED))) == COMMENTED
    assert merge(merge(COMMENTED)) == merge(COMMENTED)


def test_a_cluster_named_like_a_boolean_stays_text() -> None:
    """kubectl's YAML reads a bare ``no`` as false."""
    document = marked(build_kubeconfig(ClusterName("no"), "https://x", "c", "c", "k"), INSTALL)
    result = edited("", {}, merged({}, document, use=False))
    extension = yaml.safe_load(result)["users"][0]["user"]["extensions"][0]["extension"]
    assert extension["cluster"] == "no"


texts = st.text("aé0 :#-'\"|", max_size=6)
scalars = st.none() | st.booleans() | st.integers() | texts | st.sampled_from(["no", "1e3", "~"])
bodies = st.dictionaries(texts, scalars | st.lists(scalars, max_size=2), max_size=3)
comments = st.sampled_from(["", "# words\n", "\n", "  # - name: x\n"])


@st.composite
def written(draw: st.DrawFn) -> str:
    """Write a random kubeconfig in a random style."""
    flow, pieces = draw(st.sampled_from([None, False])), []
    for section, key in (("clusters", "cluster"), ("users", "user"), ("contexts", "context")):
        entries = [{"name": draw(texts), key: draw(bodies)} for _ in range(draw(st.integers(0, 3)))]
        content: dict[str, Any] = {section: entries}
        pieces.append(yaml.safe_dump(content, default_flow_style=flow, allow_unicode=True))
        pieces.append(draw(comments))
    return "".join(pieces)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=written())
def test_any_text_is_merged_and_unmerged_without_loss(text: str) -> None:
    """G-12, H-20."""
    result = merge(text)
    assert parse(result) == merged(parse(text), OURS, use=False)
    assert all(line in result for line in text.splitlines() if line.strip().startswith("#"))
    back = parse(unmerge(result))
    assert {key: back[key] for key in parse(text)} == parse(text)
