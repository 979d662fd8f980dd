"""Makes the pictures of the README from a real run: screenshot.py [--backend sim]

Needs ./run's build, KVM (but with --backend sim), chromium, chromium-driver and python3-selenium. Writes
docs/report.png and docs/report-dark.png: the page of a run on 8 vCPUs in which AP 3 stops at started, with
the pointer on the fault.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/unit/html"))
import browser  # noqa: E402

SCENARIO = ("configs/faults/stall-at-started.toml", "--set", "machine.vcpus=8", "--set", "expect.online=0-2,4-7")
WIDTH, HEIGHT = 1240, 720
MOST_BYTES = 300_000


def take(page, name, theme):
    """A picture of the page's upper part in docs/."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By

    window = browser.start(WIDTH, HEIGHT)
    try:
        size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        window.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
        window.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme)
        window.get(page.as_uri())
        window.find_element(By.CSS_SELECTOR, "#stage text.failed").click()
        ActionChains(window).move_to_element(window.find_element(By.CSS_SELECTOR, "#stage .hold")).perform()
        picture = ROOT / "docs" / name
        window.save_screenshot(str(picture))
    finally:
        window.quit()
    if picture.stat().st_size > MOST_BYTES:
        sys.exit(f"{picture}: {picture.stat().st_size} bytes, more than {MOST_BYTES}")
    print(picture.relative_to(ROOT))


def main():
    if why := browser.available():
        sys.exit(f"screenshot.py: {why}")
    with tempfile.TemporaryDirectory(prefix="reveille-screenshot-") as folder:
        page = Path(folder) / "report.html"
        subprocess.run(
            [ROOT / "build/bin/vmm", "run", *SCENARIO, "--report", page, *sys.argv[1:]], cwd=ROOT, check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        take(page, "report.png", "light")
        take(page, "report-dark.png", "dark")


if __name__ == "__main__":
    main()
