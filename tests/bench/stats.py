"""Repeats of one measurement: their middle, their spread, how to take them side by side, and how long more will take."""

import math
import statistics
import time


def summary(values):
    """Median, lowest and highest of some numbers, with the numbers themselves."""
    values = list(values)
    if not values:
        raise ValueError("no values to sum up")
    return {
        "median": statistics.median(values),
        "low": min(values),
        "high": max(values),
        "values": values,
    }


class Budget:
    """Seconds that are to last, counted from now."""

    def __init__(self, seconds, clock=time.monotonic):
        self.clock = clock
        self.began = clock()
        self.seconds = seconds

    def left(self):
        return self.seconds - (self.clock() - self.began)


def interleave(repeats, measurements, seconds=math.inf, clock=time.monotonic):
    """Takes each of `measurements`, a dict of functions, `repeats` times, and returns a dict of lists.

    They take turns, so that whatever else the machine does falls on all of them alike; every
    other round goes backwards, so that none always comes after the same other. Each has the same part of the
    `seconds`: once taken, it is taken again only when that will fit into its part, by how long it took so far.
    """
    part = seconds / max(1, len(measurements))
    taken = {name: [] for name in measurements}
    spent = dict.fromkeys(measurements, 0.0)
    for turn in range(repeats):
        for name in list(measurements)[:: -1 if turn % 2 else 1]:
            runs = len(taken[name])
            if runs and spent[name] * (runs + 1) / runs > part:
                continue
            began = clock()
            taken[name].append(measurements[name]())
            spent[name] += clock() - began
    return taken


def extrapolate(known, size):
    """What a size will come to, by the two largest of `known`, a dict by size: growing as a power of the size, as
    between those, but at least linearly. 0 when nothing is known."""
    if not known:
        return 0.0
    *_, before, last = [None, *sorted(known)]
    exponent = 1.0
    if before is not None and known[before] > 0:
        exponent = max(exponent, math.log(known[last] / known[before]) / math.log(last / before))
    return known[last] * (size / last) ** exponent
