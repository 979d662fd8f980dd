"""Runs that are timed from outside, by the lines that they write: see programs/stamped.cpp."""

from dataclasses import dataclass

from errors import BenchError, OutOfTime

MARGIN = 20  # s: for `stamped` itself to notice that what it runs is over its time, and to say so


@dataclass
class Stamped:
    """What one process wrote and when, in seconds from just before it was started."""

    status: int
    seconds: float  # until it was gone
    lines: list  # of (seconds, text)

    @property
    def err(self):
        """All that it wrote, for who is told that it failed."""
        return "\n".join(text for _, text in self.lines)

    def when(self, text):
        """When the first line came that has this text in it."""
        for seconds, line in self.lines:
            if text in line:
                return seconds
        raise BenchError(f'nothing says "{text}", status {self.status}: {self.err[-2000:]}')


def run(context, command, bound, until=None):
    """Runs a command, for at most `bound` seconds, and at most until it has written a line with `until` in it."""
    wanted = [] if until is None else ["--until", until]
    told = context.run_json([context.program("stamped"), *wanted, str(bound), *command], bound + MARGIN)
    lines = [(line["seconds"], line["text"]) for line in told["lines"]]
    if told["out_of_time"]:
        last = lines[-1][1] if lines else "nothing at all"
        raise OutOfTime(f"{command[0]} took more than {bound} s; the last that it wrote: {last}")
    return Stamped(told["status"], told["seconds"], lines)
