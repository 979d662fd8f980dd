// Pointer, wheel and keys.
const KEYS = {
  "+": () => zoom(1.6), "=": () => zoom(1.6), "-": () => zoom(1 / 1.6), _: () => zoom(1 / 1.6),
  ArrowLeft: () => pan(-0.15), ArrowRight: () => pan(0.15),
  ArrowUp: () => move(-1), ArrowDown: () => move(1), PageUp: () => move(-10), PageDown: () => move(10),
  Home: () => move(-view.shown.length), End: () => move(view.shown.length),
  n: () => stepSlice(1), p: () => stepSlice(-1), 0: showAll, 1: showWork,
  "/": () => document.getElementById("search").focus(), Escape: () => forget(),
};

function move(by) {
  view.slice = null;
  choose(view.chosen + by);
}

function forget() {
  view.slice = null;
  tip(null);
  draw();
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
}

function onWheel(event) {
  const rect = document.getElementById("timeline").getBoundingClientRect();
  const x = event.clientX - rect.left;
  // Without a key the wheel scrolls: the lanes, or past a timeline that nobody works in.
  const fits = document.getElementById("sizer").offsetHeight <= document.getElementById("scroller").clientHeight + 1;
  const inUse = document.getElementById("timeline").contains(document.activeElement);
  if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan((event.deltaX || event.deltaY) / 1200);
  else if (event.ctrlKey || (fits && inUse)) zoom(Math.exp(-event.deltaY / 500), Math.max(x, GUTTER));
  else return;
  event.preventDefault();
}

function watchPointer() {
  const timeline = document.getElementById("timeline");
  let from = null;
  timeline.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.target.closest("#stage, #axis")) return;
    from = { x: event.clientX, begin: view.begin, end: view.end, moved: false };
  });
  window.addEventListener("pointermove", (event) => {
    if (from) {
      const by = (event.clientX - from.x) / scale();
      from.moved ||= Math.abs(event.clientX - from.x) > 3;
      if (from.moved) show(from.begin - by, from.end - by);
      return tip(null);
    }
    tip(event.target.closest?.("#stage") ? whatIs(event.target) : null, event.clientX, event.clientY);
  });
  window.addEventListener("pointerup", (event) => {
    const clicked = from && !from.moved ? event.target.dataset?.track : undefined;
    from = null;
    if (clicked === undefined) return;
    view.slice = event.target.dataset.slice === undefined ? null : Number(event.target.dataset.slice);
    choose(view.shown.indexOf(Number(clicked)));
  });
  timeline.addEventListener("pointerleave", () => tip(null));
  timeline.addEventListener("dblclick", (event) => zoom(2.5, event.clientX - timeline.getBoundingClientRect().left));
  timeline.addEventListener("wheel", onWheel, { passive: false });
}

/** The search field: marks what it finds; Enter goes from one to the next. */
function watchSearch() {
  const field = document.getElementById("search");
  let hits = [], at = 0;
  const go = () => {
    const track = hits[at];
    if (track === undefined) return draw();
    if (!view.shown.includes(track)) {
      document.getElementById("failed").checked = false;
      filterLanes(false);
    }
    view.slice = null;
    choose(view.shown.indexOf(track), true);
  };
  const tell = () => {
    document.getElementById("found").textContent =
      field.value.trim() === "" ? "" : hits.length === 0 ? "none" : `${at + 1} of ${hits.length}`;
  };
  field.addEventListener("input", () => {
    hits = search(field.value);
    view.found = new Set(hits);
    at = 0;
    tell();
    go();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.getElementById("timeline").focus();
    if (event.key !== "Enter" || hits.length === 0) return;
    event.preventDefault();
    at = (at + (event.shiftKey ? hits.length - 1 : 1)) % hits.length;
    tell();
    go();
  });
}

function watchTools() {
  const on = (id, what, does) => document.getElementById(id).addEventListener(what, does);
  on("failed", "change", (event) => filterLanes(event.target.checked));
  on("arrows", "change", (event) => { view.arrows = event.target.checked; draw(); });
  on("fit", "change", (event) => { view.fit = event.target.checked; layLanes(); draw(); });
  on("zoom-in", "click", () => zoom(1.6));
  on("zoom-out", "click", () => zoom(1 / 1.6));
  on("zoom-all", "click", showAll);
  on("zoom-work", "click", showWork);
  on("timeline", "keydown", onKey);
  on("scroller", "scroll", draw);
  on("overview", "pointerdown", (event) => {
    const strip = document.getElementById("overview").getBoundingClientRect();
    const at = full.begin + ((event.clientX - strip.left) / strip.width) * (full.end - full.begin);
    const half = (view.end - view.begin) / 2;
    show(at - half, at + half);
  });
}
