import base64
import copy
import uuid
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bootstrap.errors import NotOursError
from bootstrap.model.kubeconfig import (
    Document,
    build_kubeconfig,
    marked,
    merged,
    unmerged,
    user_common_name,
)
from bootstrap.model.names import ClusterName

DEMO = ClusterName("demo")
INSTALL = uuid.UUID(int=1)
SECTIONS = {"clusters": "cluster", "contexts": "context", "users": "user"}


def own(cluster: ClusterName = DEMO, server: str = "https://127.0.0.1:6443") -> Document:
    return build_kubeconfig(cluster, server, "ca", "certificate", "key")


def ours(cluster: ClusterName = DEMO, install_id: uuid.UUID = INSTALL) -> Document:
    return marked(own(cluster), install_id)


def normal(document: Document) -> Document:
    """Absent, null and empty mean the same to kubectl at the top of a kubeconfig."""
    filled = {key: value for key, value in document.items() if value not in (None, [], "")}
    return {"apiVersion": "v1", "kind": "Config"} | filled


#: Slow machines are no failure.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("aé0:-", max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3)
    ),
    max_leaves=6,
)
names = st.sampled_from(["a", "b", "bootstrap-other", "bootstrap-dem", "demo", "no", ""])


def sections(body_key: str) -> st.SearchStrategy[list[Any] | None]:
    bodies = st.dictionaries(st.sampled_from(["server", "user", "x", "extensions"]), values)
    entries = st.builds(lambda name, body: {"name": name, body_key: body}, names, bodies)
    return st.none() | st.lists(entries, max_size=4)


@st.composite
def kubeconfigs(draw: st.DrawFn) -> Document:
    document: Document = draw(st.sampled_from([{}, {"apiVersion": "v1", "kind": "Config"}]))
    document = dict(document)
    for section, body_key in SECTIONS.items():
        if draw(st.booleans()):
            document[section] = draw(sections(body_key))
    if draw(st.booleans()):
        document["current-context"] = draw(st.none() | names)
    return document | draw(st.dictionaries(st.sampled_from(["preferences", "x"]), values))


def without_demo(document: Document) -> Document:
    rest = {
        section: [
            entry for entry in document.get(section) or [] if entry["name"] != "bootstrap-demo"
        ]
        for section in SECTIONS
    }
    return normal({**document, **rest, "current-context": ""})


def test_the_own_kubeconfig_holds_the_credentials_and_nothing_that_runs() -> None:
    """V-06, SEC-31."""
    document = own()
    assert document["users"] == [
        {
            "name": "bootstrap-demo",
            "user": {
                "client-certificate-data": base64.b64encode(b"certificate").decode(),
                "client-key-data": base64.b64encode(b"key").decode(),
            },
        }
    ]
    assert document["clusters"][0]["cluster"] == {
        "server": "https://127.0.0.1:6443",
        "certificate-authority-data": base64.b64encode(b"ca").decode(),
    }
    assert document["current-context"] == "bootstrap-demo"


def test_the_longest_cluster_name_still_fits_into_a_common_name() -> None:
    assert len(user_common_name(ClusterName("a" * 40))) <= 64


@unhurried
@given(existing=kubeconfigs(), use=st.booleans())
def test_merging_changes_nothing_that_is_not_ours(existing: Document, use: bool) -> None:  # noqa: FBT001
    """G-12, H-20."""
    before = copy.deepcopy(existing)
    result = merged(existing, ours(), use=use)
    assert existing == before
    assert without_demo(result) == normal({**before, "current-context": ""})
    assert [*before] == [key for key in result if key in before]


@unhurried
@given(existing=kubeconfigs())
def test_merging_never_switches_a_context_that_is_set(existing: Document) -> None:
    """H-18."""
    expected = existing.get("current-context") or "bootstrap-demo"
    assert merged(existing, ours(), use=False)["current-context"] == expected
    assert merged(existing, ours(), use=True)["current-context"] == "bootstrap-demo"


@unhurried
@given(existing=kubeconfigs())
def test_unmerging_what_was_merged_gives_the_first_state(existing: Document) -> None:
    """G-12."""
    result = unmerged(merged(existing, ours(), use=False), DEMO, INSTALL)
    assert normal(result.document) == normal(existing)
    assert result.kept == ()


@unhurried
@given(existing=kubeconfigs())
def test_merging_twice_is_merging_once(existing: Document) -> None:
    once = merged(existing, ours(), use=False)
    assert merged(once, ours(), use=False) == once


@unhurried
@given(existing=kubeconfigs())
def test_unmerging_where_nothing_is_ours_changes_nothing(existing: Document) -> None:
    existing["current-context"] = "bootstrap-demo"
    assert unmerged(existing, DEMO, INSTALL) == (existing, ())


def test_two_clusters_come_and_go_apart() -> None:
    other = ClusterName("demo2")
    both = merged(merged({}, ours(), use=False), ours(other), use=False)
    assert unmerged(both, DEMO, INSTALL).document["clusters"] == ours(other)["clusters"]
    assert both["current-context"] == "bootstrap-demo"


def test_new_credentials_replace_the_old_ones_in_their_place() -> None:
    foreign = [{"name": "z", "cluster": {}}]
    first = merged({}, ours(), use=False)
    first["clusters"] += foreign
    moved = marked(own(server="https://127.0.0.1:7443"), INSTALL)
    assert merged(first, moved, use=False)["clusters"] == [moved["clusters"][0], *foreign]


@pytest.mark.parametrize("section", SECTIONS)
def test_an_equal_name_that_is_not_ours_is_refused(section: str) -> None:
    """H-17."""
    foreign = {section: [{"name": "bootstrap-demo", SECTIONS[section]: {"x": 1}}]}
    with pytest.raises(NotOursError, match=f"{SECTIONS[section]} 'bootstrap-demo'.*is not ours"):
        merged(foreign, ours(), use=False)
    with pytest.raises(NotOursError):
        merged({}, ours(), use=False, beside=[foreign])
    assert unmerged(foreign, DEMO, INSTALL) == (foreign, ())


def test_an_equal_name_of_another_install_is_refused() -> None:
    """H-17: two users who share a kubeconfig."""
    theirs = ours(install_id=uuid.UUID(int=2))
    with pytest.raises(NotOursError):
        merged(theirs, ours(), use=False)
    assert unmerged(theirs, DEMO, INSTALL) == (theirs, ())


def test_an_entry_beside_one_of_ours_with_its_name_is_not_taken_for_ours() -> None:
    twin = {"name": "bootstrap-demo", "cluster": {"server": "https://theirs"}}
    document = merged({}, ours(), use=False)
    document["clusters"].append(twin)
    assert unmerged(document, DEMO, INSTALL).document["clusters"] == [twin]


@pytest.mark.parametrize(
    ("section", "key"), [("clusters", "server"), ("contexts", "cluster"), ("users", "token")]
)
def test_an_entry_that_the_user_changed_is_left_and_named(section: str, key: str) -> None:
    """H-19."""
    document = merged({}, ours(), use=False)
    document[section][0][SECTIONS[section]][key] = "changed"
    result = unmerged(document, DEMO, INSTALL)
    assert result.kept == (f"{SECTIONS[section]} 'bootstrap-demo'",)
    assert result.document[section] == document[section]
    assert [s for s in SECTIONS if result.document[s]] == [section]
    with pytest.raises(NotOursError, match="was changed"):
        merged(document, ours(), use=False)


def test_a_renamed_context_is_left_and_named() -> None:
    """H-19: kubectl config rename-context."""
    document = merged({}, ours(), use=False)
    document["contexts"][0]["name"] = "mine"
    assert unmerged(document, DEMO, INSTALL).kept == ("context 'mine'",)


def test_an_extension_of_another_tool_on_our_entry_is_a_change() -> None:
    document = merged({}, ours(), use=False)
    document["users"][0]["user"]["extensions"].append({"name": "x", "extension": {}})
    assert unmerged(document, DEMO, INSTALL).kept == ("user 'bootstrap-demo'",)


def test_the_namespace_is_the_users_to_choose() -> None:
    document = merged({}, ours(), use=False)
    document["contexts"][0]["context"]["namespace"] = "kube-system"
    again = merged(document, ours(), use=False)
    assert again["contexts"][0]["context"]["namespace"] == "kube-system"
    assert unmerged(again, DEMO, INSTALL).document["contexts"] == []


def test_the_order_of_keys_is_no_change() -> None:
    document = merged({}, ours(), use=False)
    user = document["users"][0]["user"]
    document["users"][0]["user"] = dict(reversed(user.items()))
    assert unmerged(document, DEMO, INSTALL).kept == ()


def test_a_current_context_in_another_file_counts() -> None:
    """H-18: kubectl reads all files of KUBECONFIG as one."""
    beside = [{"current-context": "prod"}]
    assert "current-context" not in merged({}, ours(), use=False, beside=beside)


def test_a_current_context_of_ours_is_unset_in_every_file() -> None:
    holder = merged({}, ours(), use=False)
    pointer = {"current-context": "bootstrap-demo"}
    assert unmerged(pointer, DEMO, INSTALL, beside=[holder]).document["current-context"] == ""
    assert unmerged(pointer, DEMO, INSTALL).document == pointer
