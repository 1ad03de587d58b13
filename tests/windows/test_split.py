"""Splits keep trials, sessions and subjects whole, test every window once, and are even over the classes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myogestic_tui.errors import ConfigError
from myogestic_tui.session import Windows, split
from myogestic_tui.session.windowing.window import WindowMeta, meta_table


def of(rows):
    """Windows with these (subject, session, trial, class)."""
    meta = [
        WindowMeta(session, subject, -1, trial, 0.0, float(k), 0.0)
        for k, (subject, session, trial, _) in enumerate(rows)
    ]
    y = np.array([row[3] for row in rows], np.int64)
    return Windows(np.zeros((len(rows), 1, 2)), y, ("a", "b", "c"), meta_table(meta), 100.0, ("ch1",))


def lab(n_subjects=6, n_sessions=2, n_trials=6, n_windows=3):
    return of(
        [
            (f"P{subject}", f"{subject}-{session}", trial, trial % 3)
            for subject in range(n_subjects)
            for session in range(n_sessions)
            for trial in range(n_trials)
            for _ in range(n_windows)
        ]
    )


@pytest.mark.parametrize(("by", "n_groups"), [("subject", 6), ("session", 12), ("trial", 72)])
def test_what_belongs_together_stays_on_one_side(by, n_groups):
    W = lab()
    groups = W.groups(by)
    assert len(set(groups.tolist())) == n_groups
    folds = split(W, by=by)
    assert len(folds) == 5
    assert sorted(np.concatenate([test for _, test in folds]).tolist()) == list(range(len(W)))
    for train, test in folds:
        assert not set(groups[train]) & set(groups[test])
        assert sorted([*train, *test]) == list(range(len(W)))


def test_folds_are_even_over_the_classes_and_the_same_again():
    W = lab(n_subjects=1, n_sessions=1, n_trials=15)
    for train, test in split(W, by="trial", folds=5, stratify=True):
        assert np.bincount(W.y[test]).tolist() == [3, 3, 3]
        assert len(train) == 36
    same = [test.tolist() for _, test in split(W, by="trial", seed=3)]
    assert same == [test.tolist() for _, test in split(W, by="trial", seed=3)]
    assert same != [test.tolist() for _, test in split(W, by="trial", seed=4)]


def test_fewer_to_hold_out_than_folds_is_one_fold_each():
    assert [len(test) for _, test in split(lab(n_subjects=3), by="subject")] == [36, 36, 36]


@pytest.mark.parametrize(
    ("W", "options", "words"),
    [
        (lab(n_subjects=1), {"by": "subject"}, "of 1 subject;"),
        (of([("", "a", 0, 0), ("P1", "b", 0, 1)]), {"by": "subject"}, "a has no subject"),
        (of([]), {"by": "trial"}, "of 0 trials"),
        (lab(), {"by": "day"}, "by is 'day'"),
        (lab(), {"folds": 1}, "folds"),
    ],
)
def test_what_cannot_be_split_is_an_error(W, options, words):
    with pytest.raises(ConfigError, match=words):
        split(W, **options)


@pytest.mark.parametrize(
    ("name", "value"),
    [("folds", "a"), ("folds", 2.5), ("folds", 1), ("folds", True), ("seed", -1), ("seed", "x"), ("seed", None)],
)
def test_folds_and_seed_are_whole_numbers(name, value):
    with pytest.raises(ConfigError, match=f"{name} is {value!r}"):
        split(lab(), **{name: value})


def test_arrays_do_not_tell_whose_windows_they_are():
    with pytest.raises(ConfigError, match=r"what windows\(\) returns"):
        split(lab().X)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("AB"), st.sampled_from("xyz"), st.integers(0, 4), st.integers(0, 2)), min_size=2
    ),
    st.integers(2, 6),
    st.booleans(),
    st.integers(0, 3),
)
def test_no_fold_is_empty_and_every_window_is_tested_once(rows, folds, stratify, seed):
    W = of(rows)
    n_groups = len(set(W.groups("trial").tolist()))
    if n_groups < 2:
        return
    found = split(W, by="trial", folds=folds, stratify=stratify, seed=seed)
    assert len(found) == min(folds, n_groups)
    assert all(len(train) and len(test) for train, test in found)
    assert sorted(np.concatenate([test for _, test in found]).tolist()) == list(range(len(W)))
