// The run, as the page's data has it, in words.
const run = JSON.parse(document.getElementById("data").textContent);
const text = (number) => run.names[number];

const tracks = run.tracks.map((track, index) => ({
  index,
  cpu: track.cpu,
  control: track.control,
  reason: track.reason,
  failed: track.outcome === "failed",
  name: `CPU ${track.cpu}${track.control ? " control" : ""}`,
  slices: track.slices.map((s, number) => ({
    number, kind: text(s[0]), name: text(s[1]), begin: s[2], end: s[3], depth: s[4], cpu: s[5], attempt: s[6],
    how: text(s[7]), place: text(s[8]), error: s[9],
  })),
  instants: track.instants.map((i) => ({ name: text(i[0]), at: i[1], attempt: i[2], words: text(i[3]), fault: i[4] })),
  holds: track.holds.map((h) => ({
    name: text(h[0]), begin: h[1], end: h[2], open: h[3], lane: h[4], how: text(h[5]), where: text(h[6]), cpu: h[7],
  })),
}));

const arrows = run.arrows.map((a) => ({
  kind: text(a[0]).split(" ")[0], name: text(a[0]), from: a[1], to: a[2], begin: a[3], claim: a[4], end: a[5],
  attempt: a[6], place: text(a[7]),
}));

// By the track that they begin or end at.
const arrowsOf = tracks.map(() => []);
for (const arrow of arrows) {
  arrowsOf[arrow.from].push(arrow);
  arrowsOf[arrow.to].push(arrow);
}

/** A time with as many digits as its unit can bear: "12.35 ms". */
function duration(us) {
  const size = Math.abs(us);
  if (size >= 999500) return `${figure(us / 1e6)} s`;
  if (size >= 999.5) return `${figure(us / 1e3)} ms`;
  return `${figure(us)} us`;
}

function figure(value) {
  const size = Math.abs(value);
  return value.toFixed(size < 9.9995 ? 3 : size < 99.995 ? 2 : 1);
}

/** A moment of the run, exactly: what a hover is for. */
function moment(us) {
  return `${(us / 1000).toFixed(4)} ms`;
}

/** Until when CPUs came up: timeouts are so much longer that nothing else would be seen. */
function endOfWork() {
  let last = 0;
  for (const track of tracks)
    for (const slice of track.slices)
      if (slice.kind === "turn" && slice.how === "done" || slice.kind === "kick") last = Math.max(last, slice.end);
  return last === 0 || run.end_us < 2 * last ? run.end_us : 1.2 * last;
}

/** An element with attributes and children; text is never markup. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** The same of SVG. */
function shape(name, attributes = {}, content = undefined) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (content !== undefined) made.textContent = content;
  return made;
}
