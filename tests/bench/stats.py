"""Repeats of one measurement: their middle, their spread, and how to take them side by side."""

import statistics
import time

LEAST = 3  # rounds: fewer have no spread to speak of


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


def interleave(repeats, measurements, seconds=None, clock=time.monotonic):
    """Takes each of `measurements`, a dict of functions, `repeats` times, and returns a dict of lists.

    They take turns, so that whatever else the machine does falls on all of them alike; every
    other round goes backwards, so that none always comes after the same other. With `seconds` no further round
    begins when they are over, but for the first LEAST.
    """
    began = clock()
    taken = {name: [] for name in measurements}
    for turn in range(repeats):
        if seconds is not None and turn >= LEAST and clock() - began >= seconds:
            break
        for name in list(measurements)[:: -1 if turn % 2 else 1]:
            taken[name].append(measurements[name]())
    return taken
