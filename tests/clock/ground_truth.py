"""Streams as devices and networks make them, with the truth beside them: what was lost, and when samples were taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

START = 10_000.0
LEAPS = {"down": -273.0, "up": 99_950.0, "leap": 2e5, "leap_back": 2e5, "leap_15": 15.0}


@dataclass
class Made:
    """One stream; times in seconds on the recorder's clock, but for the stamps."""

    stamps: np.ndarray
    taken: np.ndarray
    lost: dict[int, int]
    """By the sample after it: how many are missing."""
    arrivals: np.ndarray
    offsets: np.ndarray
    start: float
    stop: float
    rate: float


def make(rng, fs, chunk, kind, seconds, losses, *, clock="lsl", off=0.0, ppm=0.0):
    """``chunk``: seconds per push (0: each sample by itself). ``off``, ``ppm``: how far the rate is off nominal."""
    rate = fs * (1 + off) * (1 + ppm * 1e-6)
    n_all, size = int(seconds * rate), max(1, round(chunk * fs))
    kept = _kept(rng, n_all, fs, size, losses, whole_packets=kind.startswith("burst"))
    number = np.flatnonzero(kept)
    taken = (START + 0.3 / fs + np.arange(n_all) / rate)[number]
    breaks = np.flatnonzero(np.diff(number) > 1) + 1
    lost = {int(at): int(number[at] - number[at - 1] - 1) for at in breaks}
    last = np.append(np.flatnonzero(np.diff(number // size) > 0), len(number) - 1)
    sizes = np.diff(last, prepend=-1)
    pushed = _pushed(rng, taken[last], kind, chunk, fs)
    at, back = np.repeat(pushed, sizes), np.repeat(last, sizes) - np.arange(len(number))
    stamps = _stamped(rng, kind, at, back, taken, fs)
    if kind == "wifi":
        order = _swapped(rng, last, sizes, set(lost))
        stamps, taken, at = stamps[order], taken[order], np.maximum.accumulate(at[order])
    read = np.maximum.accumulate(at + 0.001 + rng.exponential(0.0005, len(at)))
    stop = START + seconds
    raw, offsets = _by_clock(rng, stamps, clock, stop)
    return Made(raw, taken, lost, _arrivals(rng, read, stop), offsets, START, stop, rate)


def _kept(rng, n, fs, size, losses, *, whole_packets):
    kept = np.ones(n, bool)
    around = int(4 * fs) + size
    for _ in range(losses):
        length = int(rng.integers(max(6, int(np.ceil(0.025 * fs))), max(8, int(0.6 * fs))))
        first = int(rng.integers(int(n * 0.1), max(int(n * 0.9) - length, int(n * 0.1) + 1)))
        if whole_packets:
            first, length = first - first % size, max(size, length - length % size)
        if kept[max(first - around, 0) : first + length + around].all():
            kept[first : first + length] = False
    return kept


def _pushed(rng, due, kind, chunk, fs):
    pushed = due + 0.004 + rng.exponential(0.003, len(due))
    if kind == "late":
        held = rng.random(len(due)) < 0.02
        pushed[held] += rng.uniform(0.05, 0.4, held.sum())
    if kind == "lag":
        pushed = pushed + _lag(rng, len(due), chunk, fs)
        end = -max(1, len(due) // 20)
        pushed[end:] = (due + 0.005)[end:]
    return np.maximum.accumulate(pushed)


def _lag(rng, n, chunk, fs):
    """It builds up in steps of 20 to 60 ms to 1.6 s, and is caught up, over and over."""
    lag, now, growing = np.zeros(n), 0.0, True
    for i in range(n):
        if growing and rng.random() < min(1, chunk * 3 + 0.02):
            now += rng.uniform(0.02, 0.06)
        elif not growing:
            now = max(0.0, now - 0.7 * max(chunk, 1 / fs))
        growing = False if now > 1.6 else growing or (now == 0 and rng.random() < 0.002)
        lag[i] = now
    return lag


def _stamped(rng, kind, at, back, taken, fs):
    if kind == "burst":
        return at.copy()
    if kind == "burst_us":
        return at - back * 20e-6
    if kind == "gauss":
        return taken + 0.02 + rng.normal(0, 0.005, len(taken))
    stamps = taken + 0.004
    if kind == "twice":
        stamps[1::2] = stamps[0::2][: len(stamps[1::2])]
    return stamps if kind in ("perfect", "twice") else at - back / fs


def _swapped(rng, last, sizes, after_loss):
    """Neighbouring packets in the wrong order, but not at a loss."""
    first = last - sizes + 1
    order = list(range(len(last)))
    for i in range(1, len(order) - 1):
        if rng.random() < 0.03 and not {int(first[order[i]]), int(first[order[i + 1]])} & after_loss:
            order[i], order[i + 1] = order[i + 1], order[i]
    return np.concatenate([np.arange(first[i], last[i] + 1) for i in order])


def _arrivals(rng, read, stop):
    polls = np.arange(START - 0.1, stop + 1.2, 0.2)
    polls = polls + rng.uniform(0, 0.01, len(polls))
    counts = np.searchsorted(read, polls, side="right")
    new = np.diff(counts, prepend=0) > 0
    return np.vstack(([0, START], np.column_stack((counts[new], polls[new])), [len(read), polls[-1]]))


def _by_clock(rng, stamps, clock, stop):
    """Raw stamps of a source whose LSL clock is 500 s off and drifts; and its clock estimates."""
    drift = rng.uniform(-50e-6, 50e-6)

    def offset(at):
        return -500.0 + drift * (at - START)

    at = np.arange(START - 20, stop + 1, 5.0)
    rows = np.column_stack((at, offset(at) + rng.normal(0, 2e-4, len(at)), np.full(len(at), 3e-4), at - offset(at)))
    raw, n = stamps - offset(stamps), len(stamps)
    if clock == "none":
        return stamps.copy(), np.empty((0, 4))
    if clock == "wall":
        return stamps + 1.79e9, rows
    if clock == "device":
        return stamps - START - 1000.0, rows
    if clock in ("down", "up"):
        raw[n // 2 :] += LEAPS[clock]
        later = rows[:, 0] >= stamps[n // 2]
        rows[later, 1] -= LEAPS[clock]
        rows[later, 3] = rows[later, 0] - rows[later, 1]
    if clock in ("leap", "leap_back", "leap_15"):
        raw[n // 3 :] += LEAPS[clock]
        raw[2 * n // 3 :] -= LEAPS[clock] if clock == "leap_back" else 0.0
    if clock == "nan":
        raw[rng.random(n) < 0.01] = np.nan
    if clock == "const":
        raw[:] = raw[0]
    return (raw * 1000 if clock == "ms" else raw), rows
