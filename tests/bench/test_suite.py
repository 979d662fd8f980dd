"""The suite's case of ./bench: its scenarios are sound, and what did not pass is never a rate."""

import unittest
from unittest import mock

from cases import suite
from errors import BenchError
from testing import needs_kvm, some_context


def document(*verdicts, **run):
    runs = [{"verdict": verdict, "differences": ["late"], **run} for verdict in verdicts]
    return {"summary": {"runs": len(runs)}, "runs": runs}


class SuiteCase(unittest.TestCase):
    def test_every_ap_stalls_at_every_point(self):
        texts = {suite.scenario("stall", number) for number in range(suite.RUNS["fresh"])}
        self.assertEqual(len(texts), (suite.VCPUS - 1) * len(suite.POINTS))
        self.assertEqual(len({suite.scenario("none", number) for number in range(20)}), 1)

    def test_a_run_without_a_fault_that_does_not_pass_is_no_number(self):
        self.assertEqual(suite.look_at("none", 2, document("pass", "pass"))["other"], 0)
        for verdict in ("fail", "broken", "unsupported"):
            with self.assertRaisesRegex(BenchError, "late"):
                suite.look_at("none", 2, document("pass", verdict))

    def test_runs_that_are_missing_are_no_number(self):
        with self.assertRaisesRegex(BenchError, "1 of 2 scenarios"):
            suite.look_at("stall", 2, document("pass"))

    def test_stalls_that_come_out_otherwise_are_counted(self):
        self.assertEqual(suite.look_at("stall", 3, document("pass", "fail", "broken"))["other"], 2)

    def test_it_is_told_which_machines_were_new(self):
        told = suite.look_at("none", 2, document("pass", "pass", start="zero"))
        self.assertEqual(told["starts"], {"zero": 2})
        self.assertEqual(suite.look_at("none", 1, document("pass"))["starts"], {"new": 1})

    @needs_kvm
    def test_it_measures(self):
        with mock.patch.object(suite, "QUICK_RUNS", {"again": 3, "fresh": 2}), mock.patch.object(suite, "TIMEOUT_MS", 400):
            result = suite.measure(some_context())
        self.assertEqual([(row["kind"], row["way"]) for row in result["rows"]],
                         [("none", "again"), ("none", "fresh"), ("stall", "again"), ("stall", "fresh")])  # fmt: skip
        for row in result["rows"]:
            self.assertGreater(row["rate"]["low"], 0, row)
            self.assertEqual(sum(row["starts"].values()), row["runs"], row)
            self.assertEqual(row["starts"].get("new", 0) < row["runs"], row["way"] == "again", row)
        (target,) = suite.targets(result)
        self.assertIsInstance(target[1], bool)
        self.assertIn("| no fault, used again | 2 of 3 |", suite.report(result))


if __name__ == "__main__":
    unittest.main()
