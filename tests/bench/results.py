"""The JSON of all that was measured. Each case has its own part, with its own date and machine:
measuring one case again leaves the others as they were.

{ "schema": 1,
  "cases": { NAME: { "date": "2026-11-23 04:40 UTC", "quick": false, "revision": "bc2155a", "machine": {...},
                     "seconds": 12.3, "result": {...} } } }

A case that could not be measured has "error", a sentence, in place of "result". One that has been ended before it
was through has both: the result is what it had measured by then.
"""

import json
from pathlib import Path

SCHEMA = 1


def load(path):
    """The document at `path`; an empty one where there is no file. ValueError: it is something else."""
    if not Path(path).is_file():
        return {"schema": SCHEMA, "cases": {}}
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise ValueError(f"{path} is not a result of ./bench, or of another version of it")
    return document


def merge(document, parts):
    """The document with these parts, a dict by case, in place of the ones that it had."""
    return {"schema": SCHEMA, "cases": {**document["cases"], **parts}}


def save(path, document):
    """Writes the document, whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".new")
    half.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    half.replace(path)
