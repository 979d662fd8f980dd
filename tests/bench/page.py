"""docs/benchmarks.md: what is between its markers is made from the JSON, all else is written by hand.

A marked part begins with a line `<!-- bench: NAME -->` and ends with the next line `<!-- end -->`.
"""

import re

import machine
import markdown

MARKED = re.compile(r"^<!-- bench: ([\w-]+) -->\n(.*?)^<!-- end -->\n", re.MULTILINE | re.DOTALL)


def marked(name, text):
    """A marked part."""
    return f"<!-- bench: {name} -->\n{text.rstrip()}\n<!-- end -->\n"


def names(page):
    """The names of the marked parts of a page, in order."""
    return [found.group(1) for found in MARKED.finditer(page)]


def replace(page, parts):
    """The page with the text of each of `parts`, a dict, between its markers; a new one goes to the end."""
    changed = MARKED.sub(lambda found: marked(found[1], parts.get(found[1], found[2])), page)
    present = names(page)
    for name, text in parts.items():
        if name not in present:
            changed = changed.rstrip("\n") + "\n\n" + marked(name, text)
    return changed


def machines(document):
    """What was measured on what: as a rule one machine for all."""
    lines = []
    seen = []
    for name, part in document["cases"].items():
        # The doctor's findings have figures of the moment in them, and are the same machine's all the same.
        kind = (machine.line(part["machine"]), [(p["name"], p["standing"]) for p in part["machine"]["kvm"]])
        if kind not in seen:
            seen.append(kind)
            lines.append(f"**{machine.line(part['machine'])}**\n")
            rows = [(p["name"], p["standing"], p["found"]) for p in part["machine"]["kvm"]]
            lines.append(markdown.words(("what `vmm doctor` finds", "", ""), rows))
        if "error" in part and "result" not in part:
            lines.append(f"`{name}` could not be measured: {part['error']}\n")
    return "\n".join(lines)


def targets(document, cases):
    """All targets in one table."""
    rows = []
    for name, part in measured(document, cases):
        for text, met, value in cases[name].targets(part["result"]):
            rows.append((name, text, value, {True: "**met**", False: "**not met**", None: "not measured"}[met]))
    return markdown.words(("case", "target", "measured", ""), rows)


def measured(document, cases):
    """The cases that have a result, with their part, in the order of the page."""
    for name in cases:
        part = document["cases"].get(name)
        if part and "result" in part:
            yield name, part


def section(name, part, case, folder):
    """One case: its title, when and on what, its text and its plots, which go into `folder`."""
    lines = [
        f"## {case.TITLE}\n",
        f"`./bench {name}`, {part['date']}, revision {part['revision']}, {machine.line(part['machine'])}, "
        f"{part['seconds']:.0f} s{', with --quick' if part['quick'] else ''}.\n",
        *([f"Not all of it was measured: {part['error']}.\n"] if "error" in part else []),
        case.report(part["result"]),
    ]
    if hasattr(case, "plots"):
        folder.mkdir(parents=True, exist_ok=True)
        for file, what in case.plots(part["result"], folder):
            lines.append(f"![{what}]({folder.name}/{file})\n")
    return "\n".join(lines)


def update(path, document, cases):
    """Makes the page anew where it is marked."""
    folder = path.with_suffix("")
    parts = {"machine": machines(document), "targets": targets(document, cases)}
    for name, part in measured(document, cases):
        parts[name] = section(name, part, cases[name], folder)
    path.write_text(replace(path.read_text(encoding="utf-8"), parts), encoding="utf-8")
