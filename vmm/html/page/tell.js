// What something in the picture is, in words: for the pointer, for the keyboard, for a screen reader.
const KINDS = {
  attempt: "an attempt to bring it up", turn: "its way to the point", trampoline: "from the kick to the claim",
  entry: "from the claim to alive", wait: "until it had seen its release", step: "a step", undo: "a step's teardown",
  up: "active", down: "its way down", late: "given up, and not parked", cycle: "all CPUs", prepare: "PREPARE steps",
  "clear-up": "teardowns on its behalf", kick: "INIT, SIPI, SIPI", release: "let it go on", "give-up": "took its word away",
};
const ENDS = { "given-up": "given up", failed: "failed", open: "no end is known" };

/** [headline, other lines] of a slice. */
function ofSlice(track, slice) {
  const lines = [
    `${KINDS[slice.kind] ?? slice.kind}${slice.attempt ? `, attempt ${slice.attempt}` : ""}`,
    `${moment(slice.begin)} to ${moment(slice.end)}: ${duration(slice.end - slice.begin)}`,
  ];
  if (ENDS[slice.how]) lines.push(slice.error ? `${ENDS[slice.how]} with ${slice.error}` : ENDS[slice.how]);
  return [`${track.name}: ${slice.name}`, lines];
}

function ofHold(track, hold) {
  const lines = [`from ${moment(hold.begin)} for ${duration(hold.end - hold.begin)}`, hold.how];
  if (hold.where) lines.push(`in ${hold.where}`);
  if (hold.cpu !== track.cpu) lines.push(`on behalf of CPU ${hold.cpu}`);
  return [`${track.name}: ${hold.name}`, lines];
}

function ofInstant(track, instant) {
  return [`${track.name}: ${instant.name}`, [`at ${moment(instant.at)}`, instant.words].filter(Boolean)];
}

function ofTrack(track) {
  const lines = track.reason && !track.control ? [track.reason] : [];
  const up = track.slices.find((slice) => slice.kind === "up");
  if (up) lines.push(`active at ${moment(up.begin)}`);
  return [track.name + (track.control ? ": what it did as a control CPU" : ""), lines];
}

/** What is under an element of the picture; null: nothing. */
function whatIs(target) {
  const track = tracks[target?.dataset?.track];
  if (!track) return null;
  const { slice, hold, instant } = target.dataset;
  if (slice !== undefined) return ofSlice(track, track.slices[slice]);
  if (hold !== undefined) return ofHold(track, track.holds[hold]);
  if (instant !== undefined) return ofInstant(track, track.instants[instant]);
  return ofTrack(track);
}

function tip(told, x, y) {
  const box = document.getElementById("tip");
  box.hidden = !told;
  if (!told) return;
  box.replaceChildren(element("b", {}, told[0]), ...told[1].map((line) => element("small", {}, line)));
  box.style.left = `${Math.min(x + 14, window.innerWidth - box.offsetWidth - 8)}px`;
  box.style.top = `${y + 18 + box.offsetHeight > window.innerHeight ? y - box.offsetHeight - 10 : y + 18}px`;
}

/** Says below the picture what is chosen, and marks it. */
function tellChosen() {
  const track = tracks[view.shown[view.chosen]];
  const detail = document.getElementById("detail");
  if (!track) return void (detail.textContent = "");
  const [headline, lines] = view.slice === null ? ofTrack(track) : ofSlice(track, track.slices[view.slice]);
  const told = [headline, ...lines].join(" · ");
  if (detail.textContent !== told) detail.textContent = told;
  if (view.slice !== null)
    document.querySelector(`#stage [data-track="${track.index}"][data-slice="${view.slice}"]`)?.classList.add("shown");
}

/** Goes to the next slice of the chosen CPU, or the one before, and brings it into sight. */
function stepSlice(by) {
  const track = tracks[view.shown[view.chosen]];
  if (!track || track.slices.length === 0) return;
  const next = view.slice === null ? (by > 0 ? 0 : track.slices.length - 1) : view.slice + by;
  view.slice = Math.min(Math.max(next, 0), track.slices.length - 1);
  const slice = track.slices[view.slice];
  const length = view.end - view.begin;
  if (slice.begin < view.begin || slice.begin > view.end) show(slice.begin - length / 3, slice.begin + (2 * length) / 3);
  else draw();
}
