"""Repeats of one measurement: their middle, their spread, how to take them side by side, and how long more will take."""

import math
import statistics
import time

LEAST = 3  # times: fewer have no spread to speak of


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


def interleave(repeats, measurements, seconds=math.inf, least=LEAST, clock=time.monotonic):
    """Takes each of `measurements`, a dict of functions, `repeats` times, and returns a dict of lists.

    They take turns, so that whatever else the machine does falls on all of them alike; every
    other round goes backwards, so that none always comes after the same other. What would not be over within
    `seconds`, by how long it took before, is not taken again, but for the first `least` times.
    """
    budget = Budget(seconds, clock)
    taken = {name: [] for name in measurements}
    took = {}
    for turn in range(repeats):
        for name in list(measurements)[:: -1 if turn % 2 else 1]:
            before = budget.left()
            if turn >= least and before < took[name]:
                continue
            taken[name].append(measurements[name]())
            took[name] = before - budget.left()
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
