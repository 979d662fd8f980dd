"""What holds of every file: its length, no unfinished business, sound shell; and the README."""

import re
import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAX_LINES = 450
SOURCES = {".hpp", ".cpp", ".S", ".py", ".sh", ".ld", ".cmake"}
SCRIPTS = ("run", "test", "bench", ".ci/run", "tests/hardware/init.sh")
# Spelled so that this file is not a find of its own.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")


def tracked():
    """The files of the repository, committed or about to be."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", ROOT, "ls-files", "-z"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]


def is_source(path):
    return path.suffix in SOURCES or path.name == "CMakeLists.txt" or str(path.relative_to(ROOT)) in SCRIPTS


def problems_of(name, text):
    """What is wrong with one source file, as sentences."""
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        yield f"{name}: {len(lines)} lines, more than {MAX_LINES}: it has more than one subject"
    for number, line in enumerate(lines, 1):
        if found := UNFINISHED.search(line):
            yield f"{name}:{number}: {found.group()}"


class Files(unittest.TestCase):
    def test_sources(self):
        problems = []
        for path in filter(is_source, tracked()):
            problems += problems_of(path.relative_to(ROOT), path.read_text(encoding="utf-8"))
        self.assertEqual(problems, [])

    def test_problems_are_seen(self):
        self.assertEqual(len(list(problems_of("long.cpp", "x\n" * (MAX_LINES + 1)))), 1)
        self.assertEqual(len(list(problems_of("later.cpp", "int x; // TO" "DO: y"))), 1)
        self.assertEqual(list(problems_of("fine.cpp", "int todo = 0;\n" * MAX_LINES)), [])

    def test_shell(self):
        # The sourced ones are checked through those that source them.
        for command in (["bash", "-n"], ["shellcheck", "-x"]):
            for script in SCRIPTS:
                done = subprocess.run(
                    [*command, script], cwd=ROOT, capture_output=True, text=True, check=False
                )
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_readme(self):
        blocks = re.findall(r"^```\w*\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)
        self.assertEqual([b.strip() for b in blocks[:2]], ["./run configs/parallel-8.toml", "./test"])


if __name__ == "__main__":
    unittest.main()
