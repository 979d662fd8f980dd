"""`vmm suite --report` in a browser: it loads without an error, the matrix and the runs are there, every link goes to
a page that is there, and filter, sort, keys, theme and paper do what they should.
"""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path
from urllib.parse import unquote

import browser

browser.skip_without()

from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

VMM = os.environ["REVEILLE_VMM"]
HEAD = 'title = "{}"\n[machine]\nvcpus = {}\n[bringup]\ntimeout_ms = 100\n'
NO_PAGE = "No page of 1 run: one has room for 10000 CPUs; the traces have room for all (--trace)."
STALL = '[[fault]]\ncpu = 3\nat = "alive"\naction = "stall"\n'
EVIL = "<img src=x onerror=document.title=1>"
SCENARIOS = {
    "a/sound.toml": HEAD.format("all well", 4),
    "a/stall <b>.toml": HEAD.format(EVIL, 8) + STALL + '[expect]\nfailed = { 3 = "timeout@alive" }\n',
    "b/surprise.toml": HEAD.format("nobody expects it", 8) + STALL,
    "b/late.toml": HEAD.format("late", 8) + '[[fault]]\ncpu = 2\nat = "synced"\naction = "delay"\nduration_ms = 5\n',
    "b/wrong.toml": HEAD.format("wrong", 0),
    "b/huge.toml": HEAD.format("more than a page has room for", 10_001),
}


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="reveille-suite-page-")
        cls.folder = Path(cls.temporary.name)
        for name, text in SCENARIOS.items():
            path = cls.folder / "s" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        done = subprocess.run(
            [VMM, "suite", "s", "--backend", "sim", "--report", "all.html"],
            cwd=cls.folder, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 2, done.stderr  # of the invalid one
        assert f"\n{NO_PAGE}\n" in done.stdout, done.stdout
        cls.browser = browser.start()

    @classmethod
    def tearDownClass(cls):
        cls.browser.quit()
        cls.temporary.cleanup()

    def setUp(self):
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
        self.browser.get((self.folder / "all.html").as_uri())
        self.assertEqual(self.js("return document.body.dataset.ready"), "yes")

    def tearDown(self):
        errors = [line for line in self.browser.get_log("browser") if line["level"] in ("SEVERE", "WARNING")]
        self.assertEqual(errors, [])

    def js(self, code, *arguments):
        return self.browser.execute_script(code, *arguments)

    def one(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def press(self, *keys):
        ActionChains(self.browser).send_keys(*keys).perform()

    def files(self):
        return self.js(
            "return [...document.querySelectorAll('#runs tbody tr td:nth-child(3)')].map(td => td.firstChild.textContent)"
        )

    def cell(self, place, action):
        data = json.loads(self.js("return document.getElementById('data').textContent"))
        column = [row["name"] for row in data["actions"]].index(action)
        return self.one(f'#matrix td[data-place="{data["places"].index(place)}"][data-action="{column}"]')

    def test_the_matrix_tells_tried_from_never_and_from_nowhere(self):
        self.assertEqual(len(self.all("#matrix td.tried")), 2)
        stall = self.cell("alive", "stall")
        self.assertEqual((stall.text, stall.get_attribute("class")), ("2", "tried fail"))
        self.assertIn("2 timeout@alive", stall.get_attribute("aria-label"))
        self.assertIn("1 pass", stall.get_attribute("aria-label"))
        self.assertEqual(self.cell("synced", "delay").get_attribute("class"), "tried pass")
        online = "return arguments[0].style.getPropertyValue('--online')"
        self.assertEqual(self.js(online, stall), "0%")
        self.assertEqual(self.js(online, self.cell("synced", "delay")), "100%")
        self.assertEqual(self.cell("started", "stall").get_attribute("class"), "never")
        self.assertEqual(self.cell("exit", "stall").text, "·")
        self.assertEqual(self.cell("alive", "ghost").text, "")

    def test_every_link_is_a_page_of_its_run(self):
        links = [a.get_dom_attribute("href") for a in self.all("#runs a")]
        self.assertEqual(len(links), 4)  # the invalid one has none, nor has the one that is too large
        for link in links:
            path = self.folder / unquote(link)
            self.assertTrue(path.is_file(), link)
            self.assertTrue(path.is_relative_to(self.folder / "all"))
        self.assertEqual(self.one("#without-page").text, NO_PAGE)
        row = next(a for a in self.all("#runs a") if "stall <b>" in a.text)
        row.click()
        self.assertEqual(self.js("return document.body.dataset.ready"), "yes")
        self.assertEqual(self.one("#title").text, EVIL)

    def test_runs_are_slowest_first_with_what_differs(self):
        seconds = [float(td.text) for td in self.all("#runs td.figure")]
        self.assertEqual(seconds, sorted(seconds, reverse=True))
        row = next(row for row in self.all("#runs tbody tr") if "surprise" in row.text)
        self.assertIn("FAIL", row.text)
        self.assertIn("CPU 3: expected online, got timeout@alive", row.text)
        self.assertIn("run s/b/surprise.toml", row.text)
        self.js("const s = document.getElementById('sort'); s.value = 'name'; s.dispatchEvent(new Event('change'))")
        self.assertEqual(self.files(), sorted(f"s/{name}" for name in SCENARIOS))

    def test_the_filter_takes_names_verdicts_and_faults(self):
        for words, found in (("surprise", 1), ("stall at", 2), ("pass", 4), ("pass stall", 1), ("no such", 0), ("", 6)):
            self.js("document.getElementById('filter').value = ''")
            self.press("/")
            self.press(words or Keys.ESCAPE)
            self.js("document.getElementById('filter').dispatchEvent(new Event('input'))")
            self.assertEqual(len(self.files()), found, words)
            self.js("document.activeElement.blur()")

    def test_a_cell_shows_its_runs_and_keys_go_about(self):
        self.cell("alive", "stall").click()
        self.assertEqual(sorted(self.files()), ["s/a/stall <b>.toml", "s/b/surprise.toml"])
        self.press(Keys.ARROW_DOWN)
        self.assertIn("stall at alive.released: never tried", self.one("#detail").text)
        self.press(Keys.ESCAPE)
        self.assertEqual(len(self.files()), len(SCENARIOS))
        self.press(Keys.ARROW_UP, Keys.ENTER)
        self.assertEqual(len(self.files()), 2)

    def test_titles_are_text(self):
        self.assertEqual(self.all("#runs img"), [])
        self.assertIn(EVIL, self.one("#runs").text)

    def test_light_dark_and_paper(self):
        ground = "return getComputedStyle(document.body).backgroundColor"
        dark = {"name": "prefers-color-scheme", "value": "dark"}
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [dark]})
        self.assertEqual(self.js(ground), "rgb(18, 22, 28)")
        self.one("#theme").click()
        self.assertEqual(self.js(ground), "rgb(255, 255, 255)")
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        self.assertFalse(self.one("#filter").is_displayed())
        self.assertTrue(self.one("#matrix").is_displayed())
        self.assertEqual(len(self.files()), len(SCENARIOS))

    def test_on_paper_the_matrix_is_also_told_in_words(self):
        self.assertFalse(self.js("return document.querySelector('details').open"))
        self.js("window.dispatchEvent(new Event('beforeprint'))")
        self.assertTrue(self.js("return document.querySelector('details').open"))
        rows = [row.text for row in self.all("#outcomes tbody tr")]
        self.assertEqual(rows, ["alive stall 2 1 pass, 1 fail 2 timeout@alive", "synced delay 1 1 pass 1 online"])
        self.js("window.dispatchEvent(new Event('afterprint'))")
        self.assertFalse(self.js("return document.querySelector('details').open"))


if __name__ == "__main__":
    unittest.main()
