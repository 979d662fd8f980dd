"""The mutations: reading them, applying one, what they must cover, and the table of them."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

COMPILER = "compiler"
ORDER = re.compile(r"\bmemory_order(?:_|::)(acquire|release|acq_rel|seq_cst|consume)\b")
COMMENT = re.compile(r"//[^\n]*")


class DataError(Exception):
    """Something about the data is wrong; the text says which mutation and what."""


@dataclass(frozen=True)
class Mutation:
    id: str
    file: str
    find: str
    replace: str
    caught_by: str
    why: str
    after: str = ""
    args: tuple = ()
    sanitize: str = ""

    @property
    def changes(self):
        """What it does, whoever catches it."""
        return self.file, self.after, self.find, self.replace

    def place(self, text):
        """Where in the file's text the mutation strikes."""
        start = 0
        if self.after:
            if text.count(self.after) != 1:
                raise DataError(f"{self.id}: `after` is {text.count(self.after)} times in {self.file}: {self.after}")
            start = text.index(self.after) + len(self.after)
        elif text.count(self.find) != 1:
            raise DataError(f"{self.id}: `find` is {text.count(self.find)} times in {self.file}: {self.find}")
        at = text.find(self.find, start)
        if at < 0:
            raise DataError(f"{self.id}: `find` does not come after `after` in {self.file}: {self.find}")
        return at

    def apply(self, text):
        at = self.place(text)
        return text[:at] + self.replace + text[at + len(self.find) :]


def load(file):
    """The mutations of a data file, and the files whose memory orders need none."""
    data = tomllib.loads(Path(file).read_text(encoding="utf-8"))
    mutations = []
    for entry in data.get("mutation", []):
        name = entry.get("id", "(no id)")
        try:
            mutation = Mutation(**{**entry, "args": tuple(entry.get("args", ()))})
        except TypeError as wrong:
            raise DataError(f"{name}: {wrong}") from wrong
        if "\n" in mutation.find or not mutation.find or mutation.find == mutation.replace:
            raise DataError(f"{name}: `find` must be text of one line, and `replace` something else")
        if name in (m.id for m in mutations):
            raise DataError(f"{name}: twice")
        for other in mutations:
            if mutation.changes == other.changes:
                raise DataError(f"{name}: changes the same as {other.id}")
        mutations.append(mutation)
    return mutations, frozenset(data.get("exempt", []))


def orders(text):
    """Offsets of the memory orders in a file's code."""
    code = COMMENT.sub(lambda comment: " " * len(comment.group()), text)
    return {found.start(): found.group() for found in ORDER.finditer(code)}


def uncovered_orders(root, mutations, exempt):
    """The memory orders that no mutation touches, as sentences."""
    for path in sorted(Path(root, "core").rglob("*.hpp")):
        name = path.relative_to(root).as_posix()
        if name in exempt:
            continue
        text = path.read_text(encoding="utf-8")
        left = orders(text)
        for mutation in (m for m in mutations if m.file == name):
            at = mutation.place(text)
            kept = mutation.replace
            for offset in sorted(o for o in left if at <= o < at + len(mutation.find)):
                # An order that the replacement still has is only moved along, not weakened.
                if left[offset] in kept:
                    kept = kept.replace(left[offset], "", 1)
                else:
                    del left[offset]
        for offset, order in left.items():
            yield f"{name}:{text.count(chr(10), 0, offset) + 1}: no mutation weakens {order}"


def check(root, mutations, exempt):
    """What is wrong with the data, as sentences."""
    for mutation in mutations:
        try:
            mutation.place(Path(root, mutation.file).read_text(encoding="utf-8"))
        except (DataError, OSError) as wrong:
            yield str(wrong)
            return
        if mutation.caught_by != COMPILER and not test_source(root, mutation.caught_by):
            yield f"{mutation.id}: there is no {mutation.caught_by}.cpp under tests/model/ or tests/unit/"
    yield from uncovered_orders(root, mutations, exempt)


def test_source(root, target):
    """The one source of a test, or None."""
    for folder in ("tests/model", "tests/unit"):
        for found in Path(root, folder).rglob(f"{target}.cpp"):
            return found
    return None


def cell(text):
    return text.replace("|", "\\|").strip()


def table(root, mutations):
    """docs/mutations.md."""
    lines = [
        "# Which test catches which mutation",
        "",
        "Generated from `tests/mutations/mutations.toml` by `tests/mutations/mutate.py --table`.",
        "`./test` tries some of them, `./test --full` all.",
        "",
        "| mutation | where | instead of | there is | caught by | because |",
        "|---|---|---|---|---|---|",
    ]
    for m in sorted(mutations, key=lambda m: (m.file, m.id)):
        text = Path(root, m.file).read_text(encoding="utf-8")
        line = text.rfind("\n", 0, m.place(text)) + 1
        # A short find says little by itself: show its whole line.
        whole = tuple(t[line:].split("\n", 1)[0] for t in (text, m.apply(text)))
        shown = (m.find, m.replace) if len(m.find) > 30 else whole
        cells = [m.id, m.file, *(f"`{cell(s)}`" if s.strip() else "nothing" for s in shown), m.caught_by, m.why]
        lines.append("| " + " | ".join(cells[:2] + cells[2:4] + [cell(c) for c in cells[4:]]) + " |")
    return "\n".join(lines) + "\n"
