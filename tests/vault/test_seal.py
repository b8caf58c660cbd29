import pytest
from hypothesis import given
from hypothesis import strategies as st

from medtwin.vault.seal import Tampered, place, seal

hers, his = seal("p-1", b"1" * 32), seal("p-2", b"2" * 32)
here = place("p-1", "facts", 7)


@given(st.binary(max_size=300))
def test_what_was_sealed_opens_as_it_was(plain):
    assert hers.open(here, hers.close(here, plain)) == plain


@given(st.binary(min_size=4, max_size=100))
def test_sealed_bytes_do_not_show_what_is_in_them_and_never_look_the_same_twice(plain):
    one, other = hers.close(here, plain), hers.close(here, plain)
    assert plain not in one
    assert one != other


@given(st.integers(min_value=0, max_value=40), st.integers(min_value=1, max_value=255))
def test_any_changed_byte_is_noticed(position, change):
    sealed = bytearray(hers.close(here, b"glucose 120"))
    sealed[position % len(sealed)] ^= change
    with pytest.raises(Tampered, match="does not open"):
        hers.open(here, bytes(sealed))


def test_moved_to_another_row_table_or_person_it_does_not_open():
    sealed = hers.close(here, b"glucose 120")
    for elsewhere in (
        place("p-1", "facts", 8),
        place("p-1", "alerts", 7),
        place("p-2", "facts", 7),
    ):
        with pytest.raises(Tampered):
            hers.open(elsewhere, sealed)


def test_nobody_elses_key_opens_it():
    with pytest.raises(Tampered):
        his.open(here, hers.close(here, b"glucose 120"))


def test_equal_things_are_found_by_digest_but_not_across_people():
    assert hers.digest(b"a") == hers.digest(b"a") != hers.digest(b"b")
    assert hers.digest(b"a") != his.digest(b"a")
