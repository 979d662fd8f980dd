"""What agree.py holds against what, and that it sees where they differ."""

import copy
import json
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import agree
from test_schema import SOUND

NAMES = [f"scenario-{i}" for i in range(40)]


def changed(*path, to):
    result = copy.deepcopy(SOUND)
    target = result
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = to
    return result


class Agree(unittest.TestCase):
    def test_equal_results_do_not_differ(self):
        times = changed("bringup_us", to=99.0)
        times["cpus"][1]["points"]["alive"] = 1.25
        for other in (SOUND, times, changed("backend", to="sim"), changed("host", to={"kernel": "x"})):
            self.assertEqual(list(agree.differences(SOUND, other)), [])

    def test_differences_are_seen(self):
        for other in (
            changed("cpus", 1, "outcome", to="failed"),
            changed("cpus", 2, "reason", to="timeout@started"),
            changed("cpus", 2, "reason", to="crash@alive"),
            changed("cpus", 2, "attempts", to=2),
            changed("cpus", 2, "quarantined", to=1),
            changed("faults", 0, "fired", to=0),
            changed("faults", to=[]),
            changed("faults", to=[*SOUND["faults"], SOUND["faults"][0]]),
            changed("cpus", to=SOUND["cpus"][:2]),
        ):
            self.assertEqual(len(list(agree.differences(SOUND, other))), 1)

    def test_exceptions_have_a_reason_and_a_scenario_and_are_few(self):
        self.assertEqual(list(agree.wrong_with({"scenario-1": "no firmware"}, NAMES)), [])
        self.assertEqual(len(list(agree.wrong_with({"scenario-1": " "}, NAMES))), 1)
        self.assertEqual(len(list(agree.wrong_with({"scenario-x": "no firmware"}, NAMES))), 1)
        self.assertEqual(list(agree.wrong_with({n: "no firmware" for n in NAMES[:2]}, NAMES)), [])
        self.assertEqual(len(list(agree.wrong_with({n: "no firmware" for n in NAMES[:3]}, NAMES))), 1)

    def test_the_list_of_exceptions(self):
        self.assertEqual(list(agree.wrong_with(agree.exceptions(), agree.scenarios())), [])
        with TemporaryDirectory() as folder:
            path = Path(folder, "x.toml")
            path.write_text('[[cannot]]\nscenario = "a"\nreason = "b"\n')
            self.assertEqual(agree.exceptions(path), {"a": "b"})

    def look(self, runs, cannot, sim_only=False):
        """What look_at() says when the vmm comes to these (status, result), one after the other."""
        texts = iter([(status, None if result is None else json.dumps(result)) for status, result in runs])
        with mock.patch.object(agree, "run", lambda *_: next(texts)):
            return agree.look_at("vmm", "a", cannot, sim_only)

    def test_one_that_can_be_simulated_after_all_is_an_error(self):
        self.assertEqual(self.look([(3, None), (0, SOUND)], {"a": "b"}), [])
        self.assertEqual(len(self.look([(0, SOUND), (0, SOUND)], {"a": "b"})), 1)
        self.assertNotEqual(self.look([(3, None), (0, SOUND)], {}), [])

    def test_one_that_cannot_be_simulated_is_refused_and_does_not_fail_otherwise(self):
        refused = changed("exit", to=3) | {"verdict": "unsupported", "differences": ["x"]}
        self.assertEqual(self.look([(3, refused), (0, SOUND)], {"a": "b"}), [])
        broken = changed("exit", to=4) | {"verdict": "broken", "differences": ["x"]}
        for sim in ((-11, None), (4, broken), (0, changed("exit", to=7))):
            self.assertNotEqual(self.look([sim, (0, SOUND)], {"a": "b"}), [])
            self.assertNotEqual(self.look([sim], {"a": "b"}, sim_only=True), [])

    def test_one_that_this_host_cannot_run_is_skipped(self):
        self.assertIsNone(self.look([(0, SOUND), (3, None)], {}))

    def test_one_that_ends_otherwise_is_an_error(self):
        failed = changed("exit", to=1) | {"verdict": "fail", "differences": ["x"]}
        self.assertEqual(self.look([(0, SOUND), (0, SOUND)], {}), [])
        self.assertNotEqual(self.look([(1, failed), (0, SOUND)], {}), [])
        self.assertNotEqual(self.look([(0, SOUND), (1, None)], {}), [])
        self.assertNotEqual(self.look([(0, SOUND), (1, failed)], {}), [])
        self.assertNotEqual(self.look([(0, SOUND), (0, changed("cpus", 2, "attempts", to=3))], {}), [])

    def test_two_simulated_results_are_the_same_bytes(self):
        self.assertEqual(self.look([(0, SOUND), (0, SOUND)], {}, sim_only=True), [])
        self.assertNotEqual(self.look([(0, SOUND), (0, changed("bringup_us", to=7))], {}, sim_only=True), [])


if __name__ == "__main__":
    unittest.main()
