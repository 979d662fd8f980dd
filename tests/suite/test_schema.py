"""The schema is a schema, takes a sound result, and refuses what is wrong with it."""

import copy
import json
import unittest

import jsonschema
import run_scenario

POINTS = ("kick", "alive", "started", "synced", "online", "idle", "active")


def cpu(number, outcome="online", reason=None):
    return {
        "cpu": number, "apic_id": number, "outcome": outcome, "reason": reason, "attempts": 1,
        "quarantined": 0, "points": {p: 10.5 * number or None for p in POINTS},
    }  # fmt: skip


SOUND = {
    "schema": 1, "scenario": "configs/x.toml", "title": "x", "backend": "kvm",
    "strategy": "parallel", "seed": 0, "exit": 0, "verdict": "pass", "host": {}, "online": [0, 1],
    "create_us": 1, "bringup_us": 2.5, "decided_us": 3, "total_us": 4,
    "cpus": [cpu(0), cpu(1), cpu(2, "failed", "timeout@alive"), cpu(3, "not-attempted")],
    "faults": [{"fault": 0, "cpu": 2, "at": "alive", "action": "stall", "fired": 1}],
    "invariants": [
        {"name": "one-writer", "holds": True, "evidence": None},
        {"name": "visible-before", "holds": None, "evidence": None},
    ],
    "differences": [],
}  # fmt: skip


FAILURE = {
    "run": 0, "scenario": "a.toml", "seed": 7, "verdict": "fail", "difference": "x",
    "command": "vmm run a.toml --seed 7",
}  # fmt: skip
SUMMARY = {
    "exit": 1, "runs": 1, "pass": 0, "fail": 1, "broken": 0, "unsupported": 0, "invalid": 0, "interrupted": 0,
    "not_run": 0, "seed": 7, "repeat": 1, "shard": "1/1", "total_us": 4.5,
    "scenarios": [{"scenario": "a.toml", "runs": 1, "failed": 1, "total_us": 4}],
    "failures": [FAILURE],
}  # fmt: skip

BROKEN_SUMMARY = [
    ("exit", 5),
    ("pass", -1),
    ("repeat", 0),
    ("shard", "0/1"),
    ("surprise", 1),
    ("scenarios", [{}]),
    ("failures", [{**FAILURE, "verdict": "pass"}]),
]


def changed(path, value):
    """SOUND with one thing changed."""
    result = copy.deepcopy(SOUND)
    target = result
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    return result


BROKEN = [
    (["schema"], 2),
    (["verdict"], "maybe"),
    (["exit"], 1),
    (["differences"], ["something"]),
    (["online"], [0, 0]),
    (["bringup_us"], -1),
    (["strategy"], "random"),
    (["surprise"], 1),
    (["start"], "new"),
    (["cpus", 2, "reason"], "timeout"),
    (["cpus", 2, "reason"], None),
    (["cpus", 1, "reason"], "timeout@alive"),
    (["cpus", 1, "outcome"], "dead"),
    (["cpus", 1, "points"], {"kick": 1}),
    (["faults", 0, "fired"], None),
    (["invariants", 0, "holds"], False),
]

CONTRADICTORY = [
    (["online"], [0]),
    (["cpus", 1, "points", "active"], None),
    (["invariants", 0], {"name": "one-writer", "holds": False, "evidence": "CPU 1"}),
    (["exit"], 4),
]


class Schema(unittest.TestCase):
    def test_is_a_schema(self):
        schema = json.loads((run_scenario.ROOT / "docs/result.schema.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        whole = jsonschema.Draft202012Validator(schema)
        self.assertTrue(whole.is_valid(SOUND))
        self.assertTrue(whole.is_valid(SOUND | {"start": "zero"}))
        last = 1_048_576 - 1  # as many CPUs as a simulated machine has at most
        self.assertTrue(whole.is_valid(changed(["cpus", 1], cpu(last))))
        self.assertFalse(whole.is_valid(changed(["cpus", 1], cpu(last + 1))))

    def test_suites(self):
        schema = json.loads((run_scenario.ROOT / "docs/result.schema.json").read_text())
        whole = jsonschema.Draft202012Validator(schema)
        suite = {"schema": 1, "runs": [SOUND], "summary": SUMMARY}
        self.assertTrue(whole.is_valid(suite))
        self.assertFalse(whole.is_valid({**suite, "runs": [{}]}))
        for key in SUMMARY:
            with self.subTest(without=key):
                summary = {k: v for k, v in SUMMARY.items() if k != key}
                self.assertFalse(whole.is_valid({**suite, "summary": summary}))
        for key, value in BROKEN_SUMMARY:
            with self.subTest(key=key, value=value):
                self.assertFalse(whole.is_valid({**suite, "summary": {**SUMMARY, key: value}}))

    def test_sound(self):
        self.assertEqual(list(run_scenario.schema_errors(SOUND)), [])
        self.assertEqual(list(run_scenario.contradictions(SOUND, 0)), [])

    def test_departures_are_seen(self):
        for path, value in BROKEN:
            with self.subTest(path=path, value=value):
                self.assertNotEqual(list(run_scenario.schema_errors(changed(path, value))), [])

    def test_contradictions_are_seen(self):
        for path, value in CONTRADICTORY:
            with self.subTest(path=path, value=value):
                self.assertNotEqual(list(run_scenario.contradictions(changed(path, value), 0)), [])


if __name__ == "__main__":
    unittest.main()
