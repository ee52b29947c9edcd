"""Ports on 127.0.0.1: kept, never shared, found again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.planning.ports import FIRST_PORT, LAST_PORT, Slot, choose_ports

SLOTS = [Slot(node, use) for node in ("a", "b", "c") for use in ("ssh", "api", "link")]
NONE: frozenset[int] = frozenset()
SEED = "install/demo"


def free(_port: int) -> bool:
    return True


def test_the_same_slots_get_the_same_ports() -> None:
    chosen = choose_ports(SLOTS, seed=SEED, known={}, taken=NONE, is_free=free)
    assert choose_ports(SLOTS, seed=SEED, known={}, taken=NONE, is_free=free) == chosen
    assert set(chosen) == set(SLOTS)


def test_a_known_port_is_kept_even_if_it_is_in_use_now() -> None:
    """It is in use by the very domain that has it."""
    known = {SLOTS[0]: 25000}
    chosen = choose_ports(
        SLOTS[:2], seed=SEED, known=known, taken=NONE, is_free=lambda port: port != 25000
    )
    assert chosen[SLOTS[0]] == 25000


@given(st.sets(st.integers(FIRST_PORT, LAST_PORT)), st.sets(st.integers(FIRST_PORT, LAST_PORT)))
def test_no_port_is_taken_in_use_or_given_twice(taken: set[int], used: set[int]) -> None:
    """N-12."""
    first = choose_ports(SLOTS, seed=SEED, known={}, taken=NONE, is_free=free)
    taken |= {first[SLOTS[0]]}
    used |= {first[SLOTS[1]]}
    known = {Slot("z", "ssh"): first[SLOTS[2]]}
    chosen = choose_ports(
        SLOTS, seed=SEED, known=known, taken=frozenset(taken), is_free=lambda port: port not in used
    )
    ports = list(chosen.values())
    assert len(set(ports)) == len(ports)
    assert taken.isdisjoint(ports)
    assert used.isdisjoint(ports)
    assert set(known.values()).isdisjoint(ports)
    assert all(FIRST_PORT <= port <= LAST_PORT for port in ports)


def test_the_range_is_searched_around_its_end() -> None:
    only = {FIRST_PORT}
    assert choose_ports(SLOTS[:1], seed=SEED, known={}, taken=NONE, is_free=only.__contains__) == {
        SLOTS[0]: FIRST_PORT
    }


def test_the_last_two_ports_are_given_once_each() -> None:
    last = {FIRST_PORT, LAST_PORT}
    chosen = choose_ports(SLOTS[:2], seed=SEED, known={}, taken=NONE, is_free=last.__contains__)
    assert set(chosen.values()) == last
    with pytest.raises(ValueError, match="no free port"):
        choose_ports(SLOTS[:3], seed=SEED, known={}, taken=NONE, is_free=last.__contains__)


def test_no_port_left_is_an_error() -> None:
    with pytest.raises(ValueError, match="no free port"):
        choose_ports(SLOTS, seed=SEED, known={}, taken=NONE, is_free=lambda _port: False)


def test_the_range_lies_below_the_ephemeral_ports_of_linux() -> None:
    assert LAST_PORT < 32768


def test_two_clusters_do_not_begin_their_search_at_the_same_port() -> None:
    """So two users, who do not see each other's clusters, do not collide by habit."""
    one, other = (
        choose_ports(SLOTS, seed=seed, known={}, taken=NONE, is_free=free)
        for seed in ("one/demo", "other/demo")
    )
    assert set(one.values()).isdisjoint(other.values())
