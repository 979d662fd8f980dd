// Puts it all together.
const THEMES = ["", "light", "dark"];

function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  $("theme").textContent = { "": "auto", light: "light", dark: "dark" }[theme];
}

function watchTheme() {
  let at = 0;
  setTheme(THEMES[at]);
  $("theme").addEventListener("click", () => setTheme(THEMES[(at = (at + 1) % THEMES.length)]));
}

/** On paper all lanes are drawn, and nothing is folded. */
function watchPrinting() {
  let before = null;
  window.addEventListener("beforeprint", () => {
    before = { lane: view.lane, open: [...document.querySelectorAll("details:not([open])")] };
    before.open.forEach((details) => details.setAttribute("open", ""));
    if (tracks.length === 0) return;
    view.width = Math.min(view.width, 1000);
    view.lane = tracks.length > 200 ? 9 : tracks.length > 48 ? 12 : 20;
    const { step, found } = ticks();
    drawAxis(found, step);
    $("stage").replaceChildren(picture(0, view.shown.length, 0, found));
    $("sizer").style.height = `${view.shown.length * view.lane}px`;
  });
  window.addEventListener("afterprint", () => {
    if (!before) return;
    before.open.forEach((details) => details.removeAttribute("open"));
    view.lane = before.lane;
    before = null;
    draw();
  });
}

fillHead();
fillFindings();
fillStuck();
fillLatencies();
fillBlame();
fillChain();
fillInvariants();
fillCpus();
fillRest();
fillLegend();
watchTheme();
if (tracks.length === 0) $("s-timeline").hidden = true;
fillContents();
if (tracks.length !== 0) {
  watchPointer();
  watchSearch();
  watchTools();
  watchPrinting();
  layLanes();
  showWork();
  new ResizeObserver(() => { layLanes(); draw(); }).observe($("timeline"));
}
document.body.dataset.ready = "yes";
