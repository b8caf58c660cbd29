"""Draws that belong to a member, against the published vectors of the generator."""

import numpy as np
import pytest

from medtwin.maths.keyed import uniforms, words

# kat_vectors of Random123 (Salmon et al. 2011): counter, key, four words
published = [
    (
        "00000000 00000000 00000000 00000000",
        "00000000 00000000",
        "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    ),
    (
        "ffffffff ffffffff ffffffff ffffffff",
        "ffffffff ffffffff",
        "408f276d 41c83b0e a20bc7c6 6d5451fd",
    ),
    (
        "243f6a88 85a308d3 13198a2e 03707344",
        "a4093822 299f31d0",
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


def read(text):
    return np.array([int(w, 16) for w in text.split()], np.uint64)


@pytest.mark.parametrize(("counter", "key", "expected"), published)
def test_the_words_are_those_of_the_published_vectors(counter, key, expected):
    assert words(read(counter), read(key)).tolist() == read(expected).tolist()


def test_a_members_draws_do_not_depend_on_who_else_is_drawn_for():
    everybody = uniforms(7, np.arange(1000), 3)
    alone = uniforms(7, np.array([421]), 3)
    assert alone[:, 0].tolist() == everybody[:, 421].tolist()


def test_draws_are_uniform_and_differ_by_turn_and_purpose():
    drawn = np.stack([uniforms(1, np.arange(100_000), t, p) for t in (0, 1) for p in (0, 1)])
    assert drawn.min() > 0
    assert drawn.max() < 1
    # mean 1/2 and variance 1/12, to five standard errors of 100,000 draws
    np.testing.assert_allclose(drawn.mean(axis=2), 0.5, atol=5 * 12**-0.5 / 100_000**0.5)
    np.testing.assert_allclose(drawn.var(axis=2), 1 / 12, atol=5 * (1 / 180 / 100_000) ** 0.5)
    flat = drawn.reshape(8, -1)
    np.testing.assert_allclose(np.corrcoef(flat), np.eye(8), atol=5 / 100_000**0.5)
