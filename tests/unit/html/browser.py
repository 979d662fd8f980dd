"""A headless Chromium, for who looks at pages of runs."""

import shutil
import sys

SKIPPED = 77


def available():
    """Why there is none; empty: there is one."""
    try:
        import selenium.webdriver  # noqa: F401
    except ImportError:
        return "python3-selenium is not installed"
    for program in ("chromium", "chromedriver"):
        if not shutil.which(program):
            return f"{program} is not installed"
    return ""


def skip_without():
    if why := available():
        print(f"skipped: {why}")
        sys.exit(SKIPPED)


def start(width=1280, height=900):
    """A browser with a window of that size; quit() ends it."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                     "--no-first-run", f"--window-size={width},{height}"):  # fmt: skip
        options.add_argument(argument)
    # Root can have no sandbox, nor can a container; what is opened was made here.
    options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
