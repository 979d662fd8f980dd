"""clang-tidy over the sources of a build tree: tidy.py [--jobs N] [--half SEED] BUILD-DIR

Looks at every C++ source under core/, guest/ and vmm/ that the tree compiles, and at the
one file through which the tests compile each header of core. What has been found clean is
remembered in the build tree until it, a header that it includes, its command or .clang-tidy
changes. With --half, at half of them, which is another one for another seed.
"""

import argparse
import concurrent.futures
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("core", "guest", "vmm")


def headers_of_objects(build):
    """What ninja knows of each object: {object: [files of ours that went into it]}."""
    listing = subprocess.run(
        ["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True, check=True
    ).stdout
    deps, current = {}, None
    for line in listing.splitlines():
        if line.startswith(" "):
            path = (build / line.strip()).resolve()
            if path.is_relative_to(ROOT):
                current.append(path)
        elif ":" in line:
            current = deps.setdefault(line.split(":")[0], [])
    return deps


def ours(build):
    """The compile commands that are looked at."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = Path(entry["file"])
        if not source.is_relative_to(ROOT) or source.suffix != ".cpp":
            continue
        if source.relative_to(ROOT).parts[0] in FOLDERS or source.name == "core_headers.cpp":
            yield entry


def half(entries, seed):
    """The half of them that a seed stands for."""
    return [e for e in entries if hashlib.sha256(f"{seed} {Path(e['file']).name}".encode()).digest()[0] % 2 == 0]


def for_clang_tidy(build):
    """Writes the compile commands down once more, without what clang 14 cannot take: the flag that its
    front end takes for the absence of long double, which the C++ library's headers mention, and
    headers that g++ has precompiled."""
    entries = json.loads((build / "compile_commands.json").read_text())
    for entry in entries:
        entry["command"] = re.sub(r" -mgeneral-regs-only| -Winvalid-pch| -include \S+/cmake_pch.hxx", "", entry["command"])
    (build / "tidy").mkdir(exist_ok=True)
    (build / "tidy" / "compile_commands.json").write_text(json.dumps(entries))


def key(entry, deps):
    """What a clean result depends on, as a hash."""
    seen = hashlib.sha256((ROOT / ".clang-tidy").read_bytes())
    seen.update(entry["command"].encode())
    for path in sorted({Path(entry["file"]), *deps.get(entry.get("output", ""), [])}):
        seen.update(str(path).encode())
        seen.update(path.read_bytes() if path.exists() else b"")
    return seen.hexdigest()


def tidy(build, entry, mark):
    """Returns what clang-tidy had to say; nothing if the file is clean."""
    if mark.exists():
        return ""
    command = ["clang-tidy", "--quiet", "-p", build / "tidy", entry["file"]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        mark.touch()
        return ""
    # On standard error there is only a count, unless clang-tidy itself could not run.
    return f"{entry['file']}:\n{done.stdout or done.stderr}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--half", metavar="SEED", help="look at half of the files")
    parser.add_argument("build", type=Path)
    options = parser.parse_args()
    build = options.build.resolve()
    clean = build / "tidy-clean"
    clean.mkdir(exist_ok=True)
    for_clang_tidy(build)
    deps = headers_of_objects(build)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        entries = list({entry["file"]: entry for entry in ours(build)}.values())
        if options.half:
            entries = half(entries, options.half)
        complaints = list(pool.map(lambda e: tidy(build, e, clean / key(e, deps)), entries))
    print("".join(complaints), f"{len(entries)} files", sep="")
    return 1 if any(complaints) else 0


if __name__ == "__main__":
    sys.exit(main())
