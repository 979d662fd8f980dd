"""`vmm run --report` in a browser: it loads without an error, the lanes are there, hover, keys, search and zoom
do what they should, at 8 lanes and at 1000.
"""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import browser

browser.skip_without()

from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
VMM = os.environ.get("REVEILLE_VMM", ROOT / "build/bin/vmm")
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(18, 22, 28)"


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="reveille-html-")
        cls.folder = Path(cls.temporary.name)
        cls.browser = browser.start()
        cls.eight = cls.report("configs/faults/two-stalls.toml", "eight")
        cls.thousand = cls.report("configs/parallel-1000.toml", "thousand", "--set", "bringup.timeout_ms=50",
                                  *cls.stalled(777), "--set", "expect.online=0-776,778-999")  # fmt: skip

    @classmethod
    def tearDownClass(cls):
        cls.browser.quit()
        cls.temporary.cleanup()

    @staticmethod
    def stalled(cpu):
        keys = {"cpu": cpu, "at": "started", "action": "stall"}
        return [word for key, value in keys.items() for word in ("--set", f"fault.0.{key}={value}")]

    @classmethod
    def report(cls, scenario, name, *arguments, backend=("--backend", "sim")):
        path = cls.folder / f"{name}.html"
        subprocess.run(
            [VMM, "run", scenario, *backend, "--report", path, "--json", path.with_suffix(".json"), *arguments],
            cwd=ROOT, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        return path

    def setUp(self):
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})

    def tearDown(self):
        errors = [line for line in self.browser.get_log("browser") if line["level"] in ("SEVERE", "WARNING")]
        self.assertEqual(errors, [])

    def open(self, path):
        self.browser.get(path.as_uri())
        self.assertEqual(self.js("return document.body.dataset.ready"), "yes")

    def js(self, code, *arguments):
        return self.browser.execute_script(code, *arguments)

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def lanes(self):
        return self.js("return document.querySelectorAll('#stage .lane').length")

    def view(self):
        return [float(us) for us in self.js("return document.body.dataset.view").split()]

    def keys(self, *keys):
        self.js("document.getElementById('timeline').focus()")
        ActionChains(self.browser).send_keys(*keys).perform()

    def test_the_lanes_are_there(self):
        self.open(self.eight)
        names = [e.text for e in self.all("#stage > svg > g:last-child text")]
        self.assertEqual([name.split(" ✗")[0] for name in names],
                         ["CPU 0 control", *(f"CPU {n}" for n in range(1, 8))])  # fmt: skip
        self.assertEqual([n for n in names if "✗" in n], ["CPU 2 ✗", "CPU 5 ✗"])
        self.assertEqual(self.lanes(), 8)
        for what in (".k-kick", ".k-trampoline", ".k-wait", ".k-step", ".k-up", ".p-started", ".p-active", ".hold",
                     ".arrow.kick", ".arrow.release"):  # fmt: skip
            self.assertNotEqual(self.all(f"#stage {what}"), [], what)
        self.assertIn("hatch", self.js("return getComputedStyle(document.querySelector('.hold')).fill"))

    def test_the_sections_are_there(self):
        self.open(self.eight)
        result = json.loads(self.eight.with_suffix(".json").read_text())
        self.assertEqual(self.one("#badge").text, "PASS")
        self.assertEqual(self.one("h1").text, result["title"])
        self.assertEqual(len(self.all("#invariants tbody tr")), len(result["invariants"]))
        self.assertEqual([e.text for e in self.all("#stuck summary")], ["CPU 2 timeout@alive", "CPU 5 timeout@synced"])
        self.assertGreaterEqual(len(self.all("#latencies figure svg .bar")), 11)
        self.assertIn('title = "AP 2 stops at alive', self.one("#toml").text)
        self.assertIn("stall at synced for ever", self.one("#faults").text)
        self.assertGreater(len(self.all("#chain tbody tr")), 3)
        self.assertGreater(len(self.all("#blame tbody tr")), 1)

    def test_hover_has_the_exact_figures(self):
        self.open(self.eight)
        points = json.loads(self.eight.with_suffix(".json").read_text())["cpus"][1]["points"]
        slice_ = self.one("#stage .p-synced[data-track='1']")
        self.assertFalse(self.one("#tip").is_displayed())
        ActionChains(self.browser).move_to_element(slice_).perform()
        told = self.one("#tip").text
        self.assertTrue(told.startswith("CPU 1: synced\n"), told)
        self.assertIn(f"to {points['synced'] / 1000:.4f}"[:-1], told)
        ActionChains(self.browser).move_to_element(self.one("#stage .hold[data-track='2']")).perform()
        self.assertIn("stall at alive for ever", self.one("#tip").text)
        ActionChains(self.browser).move_to_element(self.one("h1")).perform()
        self.assertFalse(self.one("#tip").is_displayed())

    def test_the_keyboard_tells_as_much(self):
        self.open(self.eight)
        self.keys(Keys.ARROW_DOWN)
        self.assertTrue(self.one("#detail").text.startswith("CPU 1 · active at "))
        self.keys("nnn")
        self.assertTrue(self.one("#detail").text.startswith("CPU 1: trampoline · from the kick to the claim, attempt 1"))
        self.assertEqual(len(self.all("#stage .shown")), 1)
        self.keys("p")
        self.assertTrue(self.one("#detail").text.startswith("CPU 1: alive"))
        self.keys(Keys.END)
        self.assertTrue(self.one("#detail").text.startswith("CPU 7"))

    def test_zoom_and_pan(self):
        self.open(self.eight)
        begin, end = self.view()
        self.keys("+")
        self.assertAlmostEqual((self.view()[1] - self.view()[0]) * 1.6, end - begin, delta=0.01)
        before = self.view()
        self.keys(Keys.ARROW_RIGHT)
        self.assertGreater(self.view()[0], before[0])
        self.keys("0")
        whole = self.view()
        self.assertGreater(whole[1], 100 * end / 3, "the timeout is in it")
        self.keys("-")
        self.assertEqual(self.view(), whole, "no more than all can be seen")
        self.keys("1")
        self.assertEqual(self.view(), [begin, end])
        wheel = "document.getElementById('stage').firstChild.dispatchEvent(new WheelEvent('wheel', {deltaY: %d, %s: true, bubbles: true, cancelable: true, clientX: 700}))"
        self.js(wheel % (-400, "ctrlKey"))
        zoomed = self.view()
        self.assertLess(zoomed[1] - zoomed[0], (end - begin) / 2)
        self.js(wheel % (200, "shiftKey"))
        self.assertGreater(self.view()[0], zoomed[0])
        at = self.view()[0]
        stage = self.one("#stage > svg")
        ActionChains(self.browser).move_to_element(stage).click_and_hold().move_by_offset(120, 0).release().perform()
        self.assertLess(self.view()[0], at)
        self.one("#zoom-work").click()
        self.assertEqual(self.view(), [begin, end])

    def test_dark_and_light(self):
        self.open(self.eight)
        ground = "return getComputedStyle(document.body).backgroundColor"
        self.assertEqual(self.js(ground), LIGHT)
        dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
        self.assertEqual(self.js(ground), DARK)
        theme = self.one("#theme")
        theme.click()
        self.assertEqual((self.js(ground), theme.text), (LIGHT, "light"))
        theme.click()
        self.assertEqual((self.js(ground), theme.text), (DARK, "dark"))

    def test_a_thousand_lanes(self):
        self.open(self.thousand)
        self.assertLess(self.lanes(), 200, "only those in sight are drawn")
        self.assertEqual(self.all("#stage text.failed"), [])
        field = self.one("#search")
        field.send_keys("777")
        self.assertEqual(self.one("#found").text, "1 of 1")
        self.assertEqual([e.text for e in self.all("#stage text.failed")], ["CPU 777 ✗"])
        self.assertTrue(self.one("#detail").text.startswith("CPU 777 · timeout@started"))
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys("990-995", Keys.ENTER)
        self.assertEqual(self.one("#found").text, "2 of 6")
        self.assertTrue(self.one("#detail").text.startswith("CPU 991"))
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys("nobody")
        self.assertEqual(self.one("#found").text, "none")
        self.one("#failed").click()
        self.assertEqual(self.lanes(), 2)
        self.one("#failed").click()
        self.one("#fit").click()
        self.assertEqual(self.lanes(), 1000)
        height = self.js("return document.getElementById('sizer').offsetHeight")
        self.assertLessEqual(height, self.js("return document.getElementById('scroller').clientHeight") + 1)

    def test_paper_has_all_lanes(self):
        self.open(self.thousand)
        self.js("window.dispatchEvent(new Event('beforeprint'))")
        self.assertEqual(self.lanes(), 1000)
        self.js("window.dispatchEvent(new Event('afterprint'))")
        self.assertLess(self.lanes(), 200, "the screen is as before")

    def test_it_can_be_printed(self):
        self.open(self.eight)
        self.js("window.addEventListener('beforeprint', () => {"
                " document.body.dataset.folded = document.querySelectorAll('details:not([open])').length; })")  # fmt: skip
        self.assertGreater(len(self.browser.execute_cdp_cmd("Page.printToPDF", {})["data"]), 10_000)
        self.assertEqual(self.js("return document.body.dataset.folded"), "0")
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        self.assertFalse(self.one(".tools").is_displayed())
        self.assertTrue(self.one("#toml").is_displayed())

    def test_names_are_no_markup(self):
        scenario = self.folder / "nasty.toml"
        title = "</script><script>document.title='owned'</script><b>"
        scenario.write_text(f'title = "{title}"\n[machine]\nvcpus = 3\n')
        self.open(self.report(scenario, "nasty"))
        self.assertEqual(self.one("h1").text, title)
        self.assertNotEqual(self.browser.title, "owned")

    def test_a_run_that_never_began(self):
        self.open(self.report("configs/one.toml", "never", "--guest", "/no/such/guest", backend=()))
        self.assertFalse(self.one("#s-timeline").is_displayed())
        self.assertIn("/no/such/guest", self.one("#findings").text)

    def test_a_tree_has_its_control_cpus(self):
        self.open(self.report("configs/tree-8.toml", "tree"))
        names = [e.text for e in self.all("#stage > svg > g:last-child text")]
        self.assertEqual(names[0], "CPU 0 control")
        self.assertGreater(len([n for n in names if n.endswith("control")]), 1)


if __name__ == "__main__":
    unittest.main()
