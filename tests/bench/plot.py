"""Plots as SVG: light, readable, and byte for byte the same for the same numbers.

A series is {"label": str, "x": [..], "y": [stats.summary or number, ..]}, and with "dashed": True another sort than
the others; of a summary the median is drawn, with a bar from its lowest to its highest.
"""

import math

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update(
    {
        "svg.hashsalt": "reveille",
        "svg.fonttype": "none",
        "font.size": 10,
        "axes.grid": True,
        "grid.color": "#e4e4e4",
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": matplotlib.cycler(
            color=["#2b6cb0", "#c05621", "#2f855a", "#805ad5", "#b83280", "#4a5568", "#975a16", "#319795"]
        ),
    }
)
from matplotlib import pyplot, ticker  # noqa: E402


def median(value):
    return value["median"] if isinstance(value, dict) else value


def bounds(value):
    """How far a value reaches below and above its median."""
    if not isinstance(value, dict):
        return 0, 0
    return value["median"] - value["low"], value["high"] - value["median"]


def plain(axis):
    """Numbers as people write them, also on a logarithmic axis."""
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}" if value < 1e3 else f"{value:,.0f}"))
    axis.set_minor_formatter(ticker.NullFormatter())


def whole_decades(axes):
    """A logarithmic axis of y from one power of ten to another, so that there is always one to read it by."""
    low, high = axes.get_ylim()
    axes.set_ylim(10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high)))


def legend(axes):
    """Beside the plot, where it hides nothing."""
    if not axes.get_legend_handles_labels()[0]:
        return
    axes.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1.01, 1))


def save(figure, path):
    figure.savefig(path, format="svg", bbox_inches="tight", facecolor="white", metadata={"Date": None})
    pyplot.close(figure)


def lines(path, title, labels, series, log_x=True, log_y=True):
    """Curves over a common axis. `labels`: of x and y, with their units. Series without a point are left out."""
    figure, axes = pyplot.subplots(figsize=(7.2, 4.2))
    series = [each for each in series if each["x"]]
    for each in series:
        below, above = zip(*(bounds(value) for value in each["y"]), strict=True)
        axes.errorbar(
            each["x"], [median(value) for value in each["y"]], yerr=(below, above),
            label=each["label"], linestyle="--" if each.get("dashed") else "-", marker="o", markersize=3.5, linewidth=1.4, elinewidth=0.8, capsize=2,
        )  # fmt: skip
    if log_x:
        axes.set_xscale("log", base=2)
    if log_y:
        axes.set_yscale("log")
        whole_decades(axes)
    axes.set_xticks(sorted({x for each in series for x in each["x"]}))
    axes.tick_params(axis="x", which="minor", length=0)
    for axis in (axes.xaxis, axes.yaxis):
        plain(axis)
    axes.set_title(title, loc="left")
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    legend(axes)
    save(figure, path)


def bars(path, title, label, groups, names, lines=None, log=False):
    """Bars side by side: `groups` is {group: [a value for each of names]}; `label` is of the values' axis. `lines`,
    {name: value}, go across all of them."""
    figure, axes = pyplot.subplots(figsize=(7.2, 4.2))
    width = 0.8 / len(groups)
    for place, (group, values) in enumerate(groups.items()):
        below, above = zip(*(bounds(value) for value in values), strict=True)
        axes.bar(
            [x + (place - (len(groups) - 1) / 2) * width for x in range(len(names))],
            [median(value) for value in values], width * 0.92, yerr=(below, above),
            label=group, error_kw={"elinewidth": 0.8, "capsize": 2},
        )  # fmt: skip
    for dashes, (name, value) in zip((":", "--", "-."), (lines or {}).items(), strict=False):
        axes.axhline(value, color="#4a5568", linestyle=dashes, linewidth=1, label=f"{name}: {value:g}")
    if log:
        axes.set_yscale("log")
        whole_decades(axes)
    plain(axes.yaxis)
    axes.set_xticks(range(len(names)), names)
    axes.grid(axis="x", visible=False)
    axes.set_title(title, loc="left")
    axes.set_ylabel(label)
    legend(axes)
    save(figure, path)
