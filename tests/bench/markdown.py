"""Numbers and tables as Markdown."""


def number(value):
    """Three significant digits, thousands grouped, nothing after the point from 100 on."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.{1 if size >= 9.995 else 2 if size >= 0.9995 else 3}f}"


def spread(summary, scale=1.0):
    """Of stats.summary: the median, and the lowest and highest behind it. `scale` is multiplied in."""
    if summary is None:
        return "-"
    median, low, high = (number(summary[key] * scale) for key in ("median", "low", "high"))
    return median if low == high else f"{median} ({low} to {high})"


def counted(summary, scale=1.0):
    """The same, and of how many runs."""
    return "-" if summary is None else f"{spread(summary, scale)} of {len(summary['values'])}"


def table(head, rows):
    """A table; its first column is text, the others are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


def words(head, rows):
    """A table of words."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)
