"""Runs one scenario and holds its result against the schema: run_scenario.py VMM SCENARIO [OPTION...]

It must come out as its [expect] says: exit 0, verdict pass. Exits 77, skipped, where there is
no KVM to run it on.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import jsonschema

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = 77
HOST_CANNOT = 3


def schema_errors(result):
    """Where the result departs from its schema, as sentences."""
    schema = json.loads((ROOT / "docs/result.schema.json").read_text())
    # The schema of one run rather than of either form: a mismatch is then told in its own terms.
    schema["$ref"] = "#/$defs/result"
    del schema["oneOf"]
    for error in jsonschema.Draft202012Validator(schema).iter_errors(result):
        yield f"{error.json_path}: {error.message}"


def contradictions(result, status):
    """What the result says in two ways that do not agree."""
    if result["exit"] != status:
        yield f"the result says exit {result['exit']}, the process exited with {status}"
    online = [c["cpu"] for c in result["cpus"] if c["outcome"] == "online"]
    if sorted(result["online"]) != sorted(online):
        yield f"online is {result['online']}, the CPUs' outcomes say {online}"
    for cpu in result["cpus"]:
        if cpu["cpu"] != 0 and cpu["outcome"] == "online" and cpu["points"]["active"] is None:
            yield f"CPU {cpu['cpu']} is online and was never active"
    for invariant in result["invariants"]:
        if invariant["holds"] is False and result["verdict"] != "broken":
            yield f"{invariant['name']} is broken, the verdict is {result['verdict']}"


def main(vmm, scenario, *options):
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("skipped: /dev/kvm is missing, or not for this user")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "result.json")
        status = subprocess.run(
            [vmm, "run", scenario, "--json", out, *options], stdin=subprocess.DEVNULL, check=False
        ).returncode
        if status == HOST_CANNOT:
            print("skipped: this host cannot run it")
            return SKIPPED
        if not out.exists():
            print(f"exit {status} and no result")
            return 1
        result = json.loads(out.read_text())
    problems = list(schema_errors(result)) or list(contradictions(result, status))
    if status != 0:
        problems.append(f"exit {status}")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
