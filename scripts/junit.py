"""Sums up what ctest wrote: junit.py FILE.xml COUNT-FILE NOTES-FILE

Adds to the counts in COUNT-FILE (passed, failed, skipped) and names in NOTES-FILE every test
that was skipped. A test that could not be started has failed, whatever ctest calls it.
"""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def outcome(case):
    """passed, failed or skipped."""
    if case.get("status") == "disabled":
        return "skipped"
    skipped = case.find("skipped")
    if skipped is not None:
        return "skipped" if skipped.get("message", "").startswith("SKIP_") else "failed"
    return "passed" if case.get("status") == "run" else "failed"


def main(xml, count_file, notes_file):
    names = {"passed": [], "failed": [], "skipped": []}
    for case in ElementTree.parse(xml).getroot().iter("testcase"):
        names[outcome(case)].append(case.get("name"))
    count = Path(count_file)
    before = map(int, count.read_text().split()) if count.exists() else (0, 0, 0)
    sums = [b + len(n) for b, n in zip(before, names.values())]
    count.write_text(" ".join(map(str, sums)) + "\n")
    with open(notes_file, "a", encoding="utf-8") as notes:
        notes.writelines(f"skipped: {name}\n" for name in names["skipped"])


if __name__ == "__main__":
    main(*sys.argv[1:])
