// The picture: only the lanes that are in sight, and in them only what is wide enough to be seen.
const MOST_ARROWS = 160; // more than that at once are a thicket
const NICE = [1, 2, 5];

/** Ticks of the axis, some ninety pixels apart. */
function ticks() {
  const least = (90 / (view.width - GUTTER)) * (view.end - view.begin);
  const power = 10 ** Math.floor(Math.log10(least));
  const step = power * (NICE.find((nice) => nice * power >= least) ?? 10);
  const found = [];
  for (let at = Math.ceil(view.begin / step) * step; at <= view.end; at += step) found.push(at);
  return { step, found };
}

function tickText(us, step) {
  const [unit, size] = step >= 1e6 ? ["s", 1e6] : step >= 1e3 ? ["ms", 1e3] : ["us", 1];
  return `${+(us / size).toFixed(3)} ${unit}`;
}

function drawAxis(found, step) {
  const svg = shape("svg", { width: view.width, height: 26, viewBox: `0 0 ${view.width} 26` });
  for (const at of found) {
    svg.append(shape("line", { class: "tick", x1: xOf(at), x2: xOf(at), y1: 18, y2: 26 }));
    if (xOf(at) < view.width - 44) svg.append(shape("text", { class: "dim", x: xOf(at) + 3, y: 16 }, tickText(at, step)));
  }
  svg.append(shape("text", { class: "dim", x: 8, y: 16 }, `${view.shown.length} lanes`));
  document.getElementById("axis").replaceChildren(svg);
}

/** Where in its lane a slice stands, by its kind: [from, height], as parts of the lane's height. */
const BANDS = {
  attempt: [0.06, 0.88], cycle: [0.06, 0.88], up: [0.2, 0.6], late: [0.2, 0.6], down: [0.2, 0.6], wait: [0.3, 0.4],
  step: [0.58, 0.26], undo: [0.58, 0.26], trampoline: [0.58, 0.26], entry: [0.58, 0.26],
};
const band = (slice) => BANDS[slice.kind] ?? [0.12, 0.76];

function classOf(slice) {
  const place = slice.kind === "turn" ? ` p-${slice.place}` : "";
  return `k-${slice.kind}${place}${slice.how === "given-up" || slice.how === "failed" ? ` e-${slice.how}` : ""}`;
}

/** Draws a lane at `y`. What is narrower than a pixel stands for all that is within that pixel. */
function drawLane(svg, track, y, height) {
  const filled = [-1, -1, -1, -1];
  const labels = [];
  for (const slice of track.slices) {
    if (slice.end < view.begin || slice.begin > view.end) continue;
    const x = Math.max(xOf(slice.begin), GUTTER);
    const right = Math.min(xOf(slice.end), view.width);
    const width = Math.max(right - x, slice.kind === "release" || slice.kind === "kick" ? 1.5 : 0.8);
    const depth = Math.min(slice.depth, 3);
    if (x + width <= filled[depth] + 0.4 || (height < 6 && (slice.depth > 1 || slice.kind === "wait"))) continue;
    filled[depth] = x + width;
    const [from, part] = height < 6 ? [0, 1] : band(slice);
    svg.append(shape("rect", {
      class: classOf(slice), x, y: y + from * height, width, height: Math.max(part * height, 0.25),
      "data-track": track.index, "data-slice": slice.number,
    }));
    if (slice.kind === "turn" && height >= 20 && width > 7 * slice.name.length + 6)
      labels.push(shape("text", { class: "inside", x: x + 4, y: y + 0.48 * height }, slice.name));
  }
  svg.append(...labels); // upon what is inside the slices
  track.holds.forEach((hold, number) => {
    if (hold.end < view.begin || hold.begin > view.end) return;
    const x = Math.max(xOf(hold.begin), GUTTER);
    const width = Math.max(Math.min(xOf(hold.end), view.width) - x, 1);
    svg.append(shape("rect", {
      class: "hold", x, y: y + 0.04 * height, width, height: 0.92 * height, "data-track": track.index, "data-hold": number,
    }));
  });
  if (height < 10) return;
  let last = -9;
  track.instants.forEach((instant, number) => {
    const x = xOf(instant.at);
    if (x < GUTTER || x > view.width || x - last < 1.5) return;
    last = x;
    const bad = /timeout|failed|panic|corrupt|quarantined|fenced/.test(instant.name);
    svg.append(shape("line", {
      class: `moment${instant.fault ? " fault" : bad ? " bad" : ""}`, x1: x, x2: x, y1: y + 1, y2: y + 0.3 * height,
      "data-track": track.index, "data-instant": number,
    }));
  });
}

function drawName(svg, track, y, height, every) {
  if (height < 9 && !every) return;
  const label = track.failed && !track.control ? `${track.name} ✗` : track.name;
  svg.append(shape("text", {
    class: track.failed ? "failed" : "", x: 8, y: y + (height < 9 ? 10 : Math.min(height / 2 + 4, height)),
    "data-track": track.index,
  }, label));
}

/** Arrows between lanes that are in sight; of many only those of the chosen CPU. */
function drawArrows(svg, first, last, top) {
  if (!view.arrows || view.lane < 5) return;
  const places = new Map();
  for (let i = 0; i < view.shown.length; ++i) places.set(view.shown[i], i);
  const chosen = view.shown[view.chosen];
  const inSight = new Set();
  for (let i = first; i < last; ++i)
    for (const arrow of arrowsOf[view.shown[i]])
      if (places.has(arrow.from) && places.has(arrow.to) && arrow.end >= view.begin && arrow.begin <= view.end) inSight.add(arrow);
  const many = inSight.size > MOST_ARROWS;
  for (const arrow of inSight) {
    const own = arrow.to === chosen || (arrow.from === chosen && !tracks[chosen].control);
    if (many && !own) continue;
    const y1 = (places.get(arrow.from) + 0.5) * view.lane - top;
    const y2 = (places.get(arrow.to) + 0.5) * view.lane - top;
    const x1 = xOf(arrow.begin), x2 = xOf(arrow.end);
    if (x2 < GUTTER || x1 > view.width) continue;
    const bend = Math.min(Math.max((x2 - x1) / 2, 6), 60);
    svg.append(shape("path", {
      class: `arrow ${arrow.kind}${own ? " strong" : ""}`, "marker-end": `url(#head-${arrow.kind})`,
      d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`,
    }));
  }
}

/** Patterns and arrow heads. */
function definitions() {
  const defs = shape("defs");
  const hatch = shape("pattern", { id: "hatch", width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
  hatch.append(shape("line", { x1: 0, x2: 0, y1: 0, y2: 7, stroke: "var(--hold)", "stroke-width": 2.4, opacity: 0.85 }));
  const clip = shape("clipPath", { id: "plot" });
  clip.append(shape("rect", { x: GUTTER, y: 0, width: Math.max(view.width - GUTTER, 1), height: 1e6 }));
  defs.append(hatch, clip);
  for (const kind of ["kick", "release"]) {
    const head = shape("marker", { id: `head-${kind}`, viewBox: "0 0 6 6", refX: 5.5, refY: 3, markerWidth: 6, markerHeight: 6, orient: "auto" });
    head.append(shape("path", { d: "M0 0L6 3L0 6z", fill: `var(--${kind})` }));
    defs.append(head);
  }
  return defs;
}

/** The lanes from `first` to before `last` as a picture of their own. */
function picture(first, last, top, found) {
  const height = Math.max((last - first) * view.lane, 1) + (first * view.lane - top);
  const svg = shape("svg", { width: view.width, height: Math.max(height, 1), viewBox: `0 0 ${view.width} ${Math.max(height, 1)}`, class: "lanes" });
  svg.append(definitions());
  const plot = shape("g", { "clip-path": "url(#plot)" });
  const names = shape("g");
  const every = Math.max(1, Math.ceil(13 / view.lane));
  for (let i = first; i < last; ++i) {
    const track = tracks[view.shown[i]];
    const y = i * view.lane - top;
    const marked = i === view.chosen ? "lane-chosen" : view.found.has(track.index) ? "lane-found" : "";
    svg.append(shape("rect", { class: `lane ${marked}`, fill: "transparent", x: 0, y, width: view.width, height: view.lane, "data-track": track.index }));
    drawName(names, track, y, view.lane, i % every === 0);
  }
  for (const at of found) svg.append(shape("line", { class: "tick", x1: xOf(at), x2: xOf(at), y1: 0, y2: height }));
  for (let i = first; i < last; ++i) {
    const y = i * view.lane - top;
    drawLane(plot, tracks[view.shown[i]], y, view.lane);
    if (view.lane >= 10) svg.append(shape("line", { class: "lane-line", x1: 0, x2: view.width, y1: y + view.lane, y2: y + view.lane }));
  }
  drawArrows(plot, first, last, top);
  svg.append(plot, names);
  return svg;
}

function draw() {
  if (tracks.length === 0) return;
  const scroller = document.getElementById("scroller");
  view.width = Math.max(scroller.clientWidth, 320);
  document.getElementById("sizer").style.height = `${view.shown.length * view.lane}px`;
  const top = scroller.scrollTop;
  const first = Math.max(Math.floor(top / view.lane), 0);
  const last = Math.min(Math.ceil((top + scroller.clientHeight) / view.lane) + 1, view.shown.length);
  const { step, found } = ticks();
  drawAxis(found, step);
  document.getElementById("stage").replaceChildren(picture(first, last, top, found));
  drawOverview();
  tellChosen();
  document.body.dataset.view = `${view.begin} ${view.end}`;
}

/** The whole run as a strip: how many CPUs were on their way, and what of it is shown. */
function drawOverview() {
  const strip = document.getElementById("overview");
  const width = Math.max(strip.clientWidth, 1), per = (full.end - full.begin) / width;
  const svg = shape("svg", { width, height: 18 });
  busy ??= countBusy(240);
  const most = Math.max(...busy, 1);
  busy.forEach((count, i) => svg.append(shape("rect", {
    class: "bar", x: (i * width) / busy.length, width: width / busy.length, y: 18 - (16 * count) / most, height: (16 * count) / most,
  })));
  svg.append(shape("rect", {
    x: (view.begin - full.begin) / per, width: Math.max((view.end - view.begin) / per, 2), y: 0, height: 18,
    fill: "var(--focus)", "fill-opacity": 0.18, stroke: "var(--focus)",
  }));
  strip.replaceChildren(svg);
}

let busy = null;
function countBusy(parts) {
  const counts = new Array(parts).fill(0);
  const per = (full.end - full.begin) / parts;
  for (const track of tracks)
    for (const slice of track.slices) {
      if (slice.kind !== "turn" && slice.kind !== "prepare") continue;
      const end = Math.min(Math.floor((slice.end - full.begin) / per), parts - 1);
      for (let i = Math.floor((slice.begin - full.begin) / per); i <= end; ++i) ++counts[i];
    }
  return counts;
}
