"""Repeats of one measurement: their middle, their spread, and how to take them side by side."""

import statistics


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


def interleave(repeats, measurements):
    """Takes each of `measurements`, a dict of functions, `repeats` times, and returns a dict of lists.

    They take turns, so that whatever else the machine does falls on all of them alike; every
    other round goes backwards, so that none always comes after the same other.
    """
    taken = {name: [] for name in measurements}
    for turn in range(repeats):
        for name in list(measurements)[:: -1 if turn % 2 else 1]:
            taken[name].append(measurements[name]())
    return taken
