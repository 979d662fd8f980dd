"""Holds the reporter's results against the schema: check_samples.py SAMPLES SCHEMA

Each must fit, and must no longer fit when any one of its keys is left out.
"""

import json
import subprocess
import sys
from pathlib import Path

SKIPPED = 77
KEYS = """schema scenario title backend strategy seed exit verdict host online create_us bringup_us
          decided_us total_us cpus faults invariants differences""".split()
VERDICTS = {"pass", "fail", "broken", "invalid", "unsupported", "interrupted"}


def samples(text):
    decoder = json.JSONDecoder()
    while text:
        result, end = decoder.raw_decode(text)
        yield result
        text = text[end:].lstrip()


def problems_of(validator, result):
    for error in validator.iter_errors(result):
        yield f"{error.json_path}: {error.message}"
    if list(result) != KEYS:
        yield f"the keys are {list(result)}"
    for key in result:
        if validator.is_valid({k: v for k, v in result.items() if k != key}):
            yield f"{key} is not missed"


def main(program, schema_file):
    try:
        import jsonschema
    except ImportError:
        print("skipped: python3-jsonschema is not installed")
        return SKIPPED
    schema = json.loads(Path(schema_file).read_text())
    # The schema of one run rather than of either form: a mismatch is then told in its own terms.
    schema["$ref"] = "#/$defs/result"
    del schema["oneOf"]
    validator = jsonschema.Draft202012Validator(schema)
    output = subprocess.run([program], capture_output=True, check=True).stdout.decode()
    results = list(samples(output))
    problems = [f"{r['verdict']}: {p}" for r in results for p in problems_of(validator, r)]
    if missing := VERDICTS - {r["verdict"] for r in results}:
        problems.append(f"no sample with verdict {sorted(missing)}")
    print("\n".join(problems) or f"{len(results)} results fit")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
