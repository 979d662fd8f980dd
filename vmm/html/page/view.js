// What of the run is on the screen: a stretch of time, and which lanes how high.
const GUTTER = 118; // pixels for the names of the lanes
const NORMAL_LANE = 24;
const LANE_OF_MANY = 15;
const LEAST_STRETCH = 0.05; // microseconds across the whole picture

const view = {
  begin: 0,
  end: 1,
  width: 1000, // pixels, gutter included
  lane: NORMAL_LANE,
  fit: false,
  arrows: true,
  shown: tracks.map((track) => track.index), // tracks, in order
  chosen: 0, // index in shown
  slice: null, // of the chosen track, by keyboard
  found: new Set(), // tracks that the search has found
};

const full = { begin: Math.min(0, run.begin_us), end: Math.max(run.end_us, 1) };

const scale = () => (view.width - GUTTER) / (view.end - view.begin);
const xOf = (us) => GUTTER + (us - view.begin) * scale();
const usAt = (x) => view.begin + (x - GUTTER) / scale();

/** Shows a stretch, kept within the run and not too short. */
function show(begin, end) {
  const length = Math.min(Math.max(end - begin, LEAST_STRETCH), full.end - full.begin);
  view.begin = Math.min(Math.max(begin, full.begin), full.end - length);
  view.end = view.begin + length;
  draw();
}

/** Makes the picture `factor` times as detailed, what is at `x` staying where it is. */
function zoom(factor, x = GUTTER + (view.width - GUTTER) / 2) {
  const at = usAt(x);
  show(at - (at - view.begin) / factor, at + (view.end - at) / factor);
}

/** Moves by a part of what is shown. */
function pan(part) {
  const by = part * (view.end - view.begin);
  show(view.begin + by, view.end + by);
}

const showAll = () => show(full.begin, full.end);
const showWork = () => show(0, endOfWork());

/** How high a lane is, by how many there are. */
function layLanes() {
  const scroller = document.getElementById("scroller");
  const room = Math.max(scroller.clientHeight, window.innerHeight * 0.55);
  const many = view.shown.length > 48;
  view.lane = many ? LANE_OF_MANY : NORMAL_LANE;
  if (view.fit) view.lane = Math.min(view.lane, Math.max(room / Math.max(view.shown.length, 1), 0.25));
}

/** Which tracks have a lane: all, or those of CPUs that failed and of control CPUs. */
function filterLanes(failedOnly) {
  const chosen = view.shown[view.chosen];
  view.shown = tracks.filter((t) => !failedOnly || t.failed || t.control).map((t) => t.index);
  view.chosen = Math.max(view.shown.indexOf(chosen), 0);
  layLanes();
  draw();
}

/** Chooses a lane and brings it into sight. */
function choose(position, center = false) {
  view.chosen = Math.min(Math.max(position, 0), view.shown.length - 1);
  const scroller = document.getElementById("scroller");
  const top = view.chosen * view.lane;
  if (center || top < scroller.scrollTop || top + view.lane > scroller.scrollTop + scroller.clientHeight)
    scroller.scrollTop = center ? top - scroller.clientHeight / 2 : top - (top < scroller.scrollTop ? 0 : scroller.clientHeight - view.lane);
  draw();
}

/** The tracks that a search is for: "17", "3-5,9", "CPU 17", or part of a reason. */
function search(words) {
  const wanted = words.trim().toLowerCase().replace(/^cpus?\s*/, "");
  if (wanted === "") return [];
  if (/^[\d,\s-]+$/.test(wanted)) {
    const ranges = wanted.split(/[,\s]+/).filter(Boolean).map((range) => range.split("-").map(Number));
    return tracks.filter((t) => ranges.some(([low, high = low]) => t.cpu >= low && t.cpu <= high)).map((t) => t.index);
  }
  return tracks.filter((t) => `${t.name} ${t.reason}`.toLowerCase().includes(wanted)).map((t) => t.index);
}
