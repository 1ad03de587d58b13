"""Windows the slow way: one sample, one window, one comparison at a time. What the fast code has to agree with."""

from __future__ import annotations

import math

import numpy as np

from myogestic_tui.clock import gap_threshold

SAME_TIME = 1e-6
"""A label and a sample that are closer than this are at the same time."""


def sample_labels(times, events):
    """The label event of each sample: the last one at or before it; -1 before all, None without a time."""
    found = []
    for t in times:
        label = -1
        for number, event in enumerate(events):
            if event - SAME_TIME <= t:
                label = number
        found.append(label if np.isfinite(t) else None)
    return found


def spans(edges, times, events):
    """Lists of the samples of each run, with its label event; ``edges`` are samples that do not follow on."""
    labels, cuts = sample_labels(times, events), set(edges)
    found = []
    for i, label in enumerate(labels):
        if label is None:
            continue
        if i == 0 or i in cuts or labels[i - 1] != label:
            found.append((label, []))
        found[-1][1].append(i)
    return found


def windows(edges, times, fs, events, win_seconds, hop_seconds):
    """``(label event, samples)`` of every window."""
    n, hop = math.floor(win_seconds * fs + 1e-9), math.floor(hop_seconds * fs + 1e-9)
    found = []
    for label, samples in spans(edges, times, events):
        at = 0
        while at + n <= len(samples):
            found.append((label, samples[at : at + n]))
            at += hop
    return found


def aligned_value(data, edges, times, fs, instant, count, causal, interpolate):
    """The mean of the nearest samples, or the point on the line between two; None where there is none."""
    run = {}
    for number, (_, samples) in enumerate(spans(edges, times, [])):
        run.update(dict.fromkeys(samples, number if fs > 0 else 0))
    usable = [i for i in range(len(times)) if np.isfinite(times[i])]
    if interpolate:
        before = sorted((i for i in usable if times[i] <= instant), key=lambda i: (instant - times[i], i))[:1]
        after = sorted((i for i in usable if times[i] >= instant), key=lambda i: (times[i] - instant, i))[:1]
        picked = [*before, *after]
        if len(picked) < 2:
            return None
    else:
        usable = [i for i in usable if times[i] <= instant or not causal]
        picked = sorted(usable, key=lambda i: (abs(times[i] - instant), i))[:count]
        if len(picked) < count:
            return None
    nearest = min(abs(times[i] - instant) for i in picked)
    if (fs > 0 and nearest > gap_threshold(fs)) or len({run[i] for i in picked}) > 1:
        return None
    if not interpolate:
        return np.mean([data[i] for i in sorted(picked)], axis=0, dtype=np.float64)
    left, right = picked
    if times[left] == times[right]:
        return data[left].astype(np.float64)
    weight = (instant - times[left]) / (times[right] - times[left])
    return data[left] * (1 - weight) + data[right] * weight
