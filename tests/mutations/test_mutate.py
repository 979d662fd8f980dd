"""The runner itself: what is caught, what survives, and what is wrong with the data."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import mutation_data as data

HEADER = """#pragma once
#include <atomic>
static_assert(sizeof(int) == 4);
inline int twice(int n) { return n * 2; }
inline int thrice(int n) { return n * 3; }
inline std::atomic<int> cell;
inline void set(int n) { cell.store(n, std::memory_order_release); } // not std::memory_order_acquire
"""
TEST = """#include "core/sums.hpp"
int main() { return twice(2) == 4 ? 0 : 1; }
"""

THREADS = """#include "core/sums.hpp"
#include <thread>
int shared;
int main() {
  std::thread reader([] {
    while (cell.load(std::memory_order_acquire) == 0) {}
    cell = shared;
  });
  shared = 7;
  set(1);
  reader.join();
  return cell == 7 ? 0 : 1;
}
"""


def entry(name, find, replace, caught_by="sums_test", **more):
    pairs = {"id": name, "file": "core/sums.hpp", "find": find, "replace": replace, "caught_by": caught_by, "why": "x", **more}
    return "[[mutation]]\n" + "".join(f"{k} = '{v}'\n" for k, v in pairs.items())


RELAXED = entry("relaxed", "memory_order_release", "memory_order_relaxed")
CAUGHT = entry("plus", "n * 2", "n + 3")


class Runner(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for top in ("core", "tests/model", "tests/mutations", "docs", "build"):
            (self.root / top).mkdir(parents=True)
        (self.root / "core/sums.hpp").write_text(HEADER)
        (self.root / "tests/model/sums_test.cpp").write_text(TEST)

    def mutate(self, *entries, table=True, **options):
        (self.root / "tests/mutations/mutations.toml").write_text("\n".join(entries))
        script = Path(__file__).with_name("mutate.py")
        call = [sys.executable, str(script), "--root", str(self.root)]
        if table:
            subprocess.run([*call, "--table"], check=False, capture_output=True)
        words = [w for k, v in options.items() for w in (f"--{k}", *([str(v)] if v is not True else []))]
        done = subprocess.run([*call, *words], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_caught(self):
        status, text = self.mutate(CAUGHT, RELAXED, only="plus")
        self.assertEqual(status, 0, text)
        self.assertIn("caught  plus, by sums_test", text)
        status, again = self.mutate(CAUGHT, RELAXED, only="plus")
        self.assertEqual((status, again), (0, text), "remembered, its time too")

    def test_survivor(self):
        status, text = self.mutate(CAUGHT, entry("unseen", "n * 3", "n * 4"), RELAXED)
        self.assertEqual(status, 1)
        self.assertIn("caught  plus", text)
        self.assertIn("SURVIVED  unseen", text)
        self.assertIn("1 caught, 2 not, of 3 in all", text)

    def test_compiler(self):
        status, text = self.mutate(entry("size", "== 4)", "== 5)", "compiler"), RELAXED, only="size")
        self.assertEqual(status, 0, text)
        status, text = self.mutate(entry("size", "== 4)", "== 5)"), RELAXED, only="size")
        self.assertEqual(status, 1, "what does not compile was not caught by the test")

    def test_sanitizer(self):
        (self.root / "tests/model/threads_test.cpp").write_text(THREADS)
        relaxed = ("relaxed", "memory_order_release", "memory_order_relaxed", "threads_test")
        status, text = self.mutate(entry(*relaxed, sanitize="thread"))
        self.assertEqual(status, 0, text)
        self.assertEqual(self.mutate(entry(*relaxed))[0], 1, "without it, this machine forgives")

    def test_hang(self):
        (self.root / "tests/model/sums_test.cpp").write_text(
            TEST.replace("return", "while (twice(2) != 4) __asm__ volatile(\"\"); return")
        )
        status, text = self.mutate(CAUGHT, RELAXED, only="plus", limit=1)
        self.assertEqual(status, 0, text)

    def test_red_without_a_mutation(self):
        (self.root / "tests/model/sums_test.cpp").write_text(TEST.replace("== 4", "== 5"))
        status, text = self.mutate(CAUGHT, RELAXED)
        self.assertEqual(status, 1)
        self.assertIn("red without any mutation", text)

    def test_data_that_does_not_fit(self):
        for wrong, word in (
            (entry("none", "n * 7", "n"), "0 times"),
            (entry("many", "return n", "return"), "2 times"),
            (entry("many", "int", "long", after="return"), "`after` is 2 times"),
            (entry("same", "n * 2", "n * 2"), "something else"),
            (entry("typo", "n * 2", "n", find_me="x"), "find_me"),
            (entry("test", "n * 2", "n", "no_such_test"), "no_such_test.cpp"),
            (CAUGHT + CAUGHT, "twice"),
            (CAUGHT + entry("again", "n * 2", "n + 3"), "the same as plus"),
        ):
            with self.subTest(word=word):
                status, text = self.mutate(wrong, RELAXED, check=True)
                self.assertEqual(status, 1)
                self.assertIn(word, text)

    def test_after(self):
        status, text = self.mutate(entry("late", "return n", "return 1 + n", after="twice"), RELAXED, only="late")
        self.assertEqual(status, 0, text)

    def test_every_order_is_covered(self):
        status, text = self.mutate(CAUGHT, check=True)
        self.assertEqual(status, 1)
        self.assertIn("core/sums.hpp:7: no mutation weakens memory_order_release", text)
        self.assertEqual(text.count("weakens"), 1, "a comment is not an order")
        moved = entry("moved", "store(n, std::memory_order_release)", "store(1, std::memory_order_release)")
        self.assertEqual(self.mutate(moved, check=True)[0], 1, "an order that is kept is not weakened")
        self.assertEqual(self.mutate("exempt = ['core/sums.hpp']", CAUGHT, check=True)[0], 0)

    def test_table_is_current(self):
        self.assertEqual(self.mutate(CAUGHT, RELAXED, check=True)[0], 0)
        status, text = self.mutate(CAUGHT, RELAXED, entry("new", "n * 3", "n"), table=False, check=True)
        self.assertEqual(status, 1)
        self.assertIn("not current", text)

    def test_the_table_shows_the_line_that_is_struck(self):
        twins = "inline int once(int n) {\n  n += 1;\n  return n;\n}\ninline int more(int n) {\n  n += 1;\n  return n;\n}\n"
        (self.root / "core/sums.hpp").write_text(HEADER + twins)
        self.mutate(RELAXED, entry("second", "n += 1", "n += 2", after="more(int n)"), entry("gone", "n += 1;", "", after="more("))
        table = (self.root / "docs/mutations.md").read_text()
        self.assertIn("| second | core/sums.hpp | `n += 1;` | `n += 2;` |", table)
        self.assertIn("| gone | core/sums.hpp | `n += 1;` | nothing |", table)

    def test_sample(self):
        (self.root / "tests/mutations/mutations.toml").write_text(
            "\n".join([RELAXED, *(entry(f"m{i}", "n * 2", f"n * {i}") for i in range(3, 9))])
        )
        self.assertEqual(len(data.load(self.root / "tests/mutations/mutations.toml")[0]), 7)
        text = (self.root / "tests/mutations/mutations.toml").read_text()
        status, first = self.mutate(text, sample=2, seed="a")
        self.assertEqual(first.count(", by sums_test"), 2, first)
        self.assertEqual(self.mutate(text, sample=2, seed="a"), (status, first))


if __name__ == "__main__":
    unittest.main()
