"""Which folder may include what, and who may speak to KVM: the layers of the design, read off
the includes. The build's targets say the same, but headers alone link nothing and get past it.
"""

import re
from pathlib import Path, PurePosixPath

# From the bottom up. Each may include itself and what stands before it, nothing else of ours.
VMM_LAYERS = (
    "base",
    "lapic",
    "scenario",
    "kvm",
    "probe",
    "machine",
    "faults",
    "judge",
    "story",
    "analysis",
    "report",
    "trace",
    "html",
    "sim",
    "lab",
    "suite",
    "diff",
    "doctor",
    "cli",
)

# Likewise of the guest.
GUEST_ROOMS = ("lib", "x86", "clock", "lapic", "boot", "acpi", "smp", "run")

# For core and guest: headers that need no operating system underneath. The standard's
# freestanding ones, and those of libstdc++ that are all templates and constexpr.
FREESTANDING = frozenset(
    """algorithm array atomic bit cfloat climits compare concepts coroutine cstdarg cstddef cstdint
    cstring exception initializer_list iterator limits new numbers numeric optional ratio span
    string_view tuple type_traits utility variant version stdarg.h stddef.h
    stdint.h""".split()
)

# The one that asks a terminal for its size, which has no other call for that.
ASKS_A_TERMINAL = "vmm/report/terminal_size.cpp"

SOURCES = frozenset({".hpp", ".h", ".cpp", ".c", ".S", ".inc"})

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^">]+)[">]', re.MULTILINE)
STRING = re.compile(r'"(?:\\.|[^"\\\n])*"')
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def folder(path):
    """The layer that a file belongs to: 'core', 'core/abi', 'guest/smp', 'vmm/kvm', ..."""
    parts = PurePosixPath(path).parts
    if parts[0] == "core":
        return f"core/{parts[1]}" if len(parts) > 2 else "core"
    if parts[0] == "vmm":
        return f"vmm/{parts[1]}" if len(parts) > 2 else "vmm/cli"
    if parts[0] == "guest":
        return f"guest/{parts[1]}" if len(parts) > 2 else "guest"
    return parts[0]


def allowed(layer):
    """The layers of ours that `layer` may include."""
    if layer == "core/abi":
        return {"core/abi"}
    if layer == "core/protocol":
        return {"core/abi", "core/protocol"}
    if layer.startswith("core"):
        return {"core/abi", "core/protocol", layer, "core"}
    if layer.startswith("guest"):
        rooms = GUEST_ROOMS[: GUEST_ROOMS.index(layer.removeprefix("guest/")) + 1]
        return {"core/abi", "core/protocol", "core", *(f"guest/{n}" for n in rooms)}
    name = layer.removeprefix("vmm/")
    if name not in VMM_LAYERS:
        return set()
    below = {f"vmm/{n}" for n in VMM_LAYERS[: VMM_LAYERS.index(name) + 1]}
    core = {"core"} if name == "sim" else set()  # what the simulated guest runs
    return {"core/abi", "core/protocol", *core, *below}


def strip_comments(text):
    return COMMENT.sub(" ", text)


def violations_of(path, text):
    """What is wrong with one file, as sentences. `path` is relative to the repository."""
    layer = folder(path)
    if layer.startswith("vmm/") and layer.removeprefix("vmm/") not in VMM_LAYERS:
        yield f"{path}: {layer} is not a layer; the layers are in tests/structure/layers.py"
        return
    if layer.startswith("guest") and layer.removeprefix("guest/") not in GUEST_ROOMS:
        yield f"{path}: {layer} is not a room of the guest's; they are in tests/structure/layers.py"
        return
    code = strip_comments(text)
    for bracket, name in INCLUDE.findall(code):
        target = PurePosixPath(name)
        if bracket == "<":
            if layer.split("/")[0] in ("core", "guest") and name not in FREESTANDING:
                yield f"{path}: <{name}> needs an operating system, and {layer} has none"
        elif len(target.parts) < 2 or target.parts[0] not in ("core", "guest", "vmm"):
            yield f'{path}: "{name}" is not a path from the root of the repository'
        elif folder(name) not in allowed(layer):
            yield f'{path}: {layer} may not include "{name}"'
    if str(path) == ASKS_A_TERMINAL and len(re.findall(r"\bioctl\s*\(", code)) == 1 and "TIOCGWINSZ" in code:
        return
    if layer.startswith("vmm/") and layer != "vmm/kvm":
        bare = STRING.sub('""', code)
        for what in (r"\bioctl\s*\(", r"\bkvm_run\b", r"<sys/ioctl\.h>"):
            if found := re.search(what, bare):
                yield f"{path}: only vmm/kvm speaks to KVM, and here is {found.group()}"


def violations(root):
    """What is wrong anywhere under core/, guest/ and vmm/."""
    for top in ("core", "guest", "vmm"):
        for path in sorted(Path(root, top).rglob("*")):
            if path.suffix in SOURCES and path.is_file():
                relative = path.relative_to(root).as_posix()
                yield from violations_of(relative, path.read_text(encoding="utf-8"))
