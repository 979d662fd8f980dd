"""The cases: what ./bench measures, a module each. A module has

NAME      what it is called on the command line and in the JSON
TITLE     of its section on the page
ORDER     a number: the cases run, and stand on the page, from the lowest to the highest
SECONDS   about how long it takes on two idle cores; QUICK_SECONDS with --quick

measure(context) -> dict         runs what is to be measured; see context.Context. Plain JSON. Raises
                                 errors.BenchError when what ran did not do what it is measured for. A long one
                                 hands what it has so far, fit for the three below, to context.keep.
report(result) -> str            the result as Markdown
targets(result) -> list          of (text, met, value): what was to be reached, True or False or None for
                                 not measured, and what it came to, as text. May be empty.
plots(result, folder) -> list    optional: writes SVG files into `folder`; returns (file name, what is to be seen)

report, targets and plots know nothing but the result: a page can be made from a JSON of another day.
"""

import importlib
import pkgutil


def all_cases():
    """Every case, by name, in the order of the page."""
    modules = [importlib.import_module(f"cases.{found.name}") for found in pkgutil.iter_modules(__path__)]
    return {module.NAME: module for module in sorted(modules, key=lambda module: module.ORDER)}
