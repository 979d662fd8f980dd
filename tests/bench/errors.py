"""What can go wrong with a measurement."""


class BenchError(Exception):
    """The case cannot be measured: what ran did not do what it is measured for."""


class OutOfTime(BenchError):
    """What ran was ended because it took longer than it was given."""
