// The page of a suite. All texts go in as text, none as markup.
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const MOST_ROWS = 2000;
const WORST = ["broken", "invalid", "fail", "interrupted", "unsupported", "pass"];
const BAD = new Set(["broken", "invalid", "fail"]);
const cells = new Map(data.cells.map((cell) => [`${cell.place},${cell.action}`, cell]));
let chosen = null; // a cell that the runs are those of

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const counted = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;

function listed(counts) {
  return Object.entries(counts).filter(([, n]) => n).sort((a, b) => b[1] - a[1]).map(([what, n]) => `${n} ${what}`).join(", ");
}

function verdictsOf(cell) {
  const counts = {};
  for (const run of cell.runs) counts[data.runs[run].verdict] = (counts[data.runs[run].verdict] ?? 0) + 1;
  return counts;
}

function nameOf(place, action) { return `${data.actions[action].name} at ${data.places[place]}`; }

function tell(place, action) {
  const cell = cells.get(`${place},${action}`);
  const name = nameOf(place, action);
  if (!cell) return `${name}: ${["does not go there", "another backend can do it", "never tried"][data.reach[place][action]]}`;
  return `${name}: ${counted(cell.runs.length, "run")}: ${listed(verdictsOf(cell))}. CPUs that it struck: ${struckText(cell)}`;
}

function fillHead() {
  document.body.dataset.verdict = data.verdict;
  $("badge").textContent = data.verdict.toUpperCase();
  $("badge").classList.add(data.verdict);
  $("title").textContent = `${counted(data.runs.length, "run")} on ${data.backend === "sim" ? "simulated CPUs" : "KVM"}`;
  const figures = [...Object.entries(data.counts).filter(([, n]) => n), ["seconds", data.seconds.toFixed(2)]];
  if (data.repeat > 1) figures.push(["runs of each", data.repeat]);
  if (data.shard !== "1/1") figures.push(["shard", data.shard]);
  $("without-page").textContent = data.without_page;
  for (const [what, n] of figures) $("figures").append(element("div", {}, element("dt", {}, what), element("dd", {}, String(n))));
}

function matrixCell(place, action) {
  const cell = cells.get(`${place},${action}`);
  const about = tell(place, action);
  const made = element("td", { role: "gridcell", tabindex: -1, title: about, "aria-label": about, "data-place": place, "data-action": action });
  if (cell) {
    const verdicts = Object.keys(verdictsOf(cell));
    const kind = verdicts.some((v) => BAD.has(v)) ? "fail" : verdicts.every((v) => v === "pass") ? "pass" : "other";
    made.classList.add("tried", kind);
    made.textContent = cell.runs.length;
    const struck = Object.values(cell.outcomes).reduce((sum, n) => sum + n, 0);
    if (struck === 0) made.classList.add("idle");
    else made.style.setProperty("--online", `${Math.round((100 * (cell.outcomes.online ?? 0)) / struck)}%`);
  } else if (data.reach[place][action] === 2) {
    made.classList.add("never");
    made.textContent = "○";
  } else if (data.reach[place][action] === 1) made.textContent = "·";
  return made;
}

function fillMatrix() {
  const head = element("tr", {}, element("td"));
  for (const action of data.actions) head.append(element("th", { scope: "col", title: action.about }, element("span", {}, action.name)));
  const body = element("tbody");
  data.places.forEach((name, place) => {
    const row = element("tr", {}, element("th", { scope: "row" }, name));
    data.actions.forEach((_, action) => row.append(matrixCell(place, action)));
    body.append(row);
  });
  $("matrix").append(element("thead", {}, head), body);
  const here = data.reach.flat().filter((reach) => reach === 2).length;
  $("tried").textContent = `${cells.size} of the ${here} combinations of place and action that this backend can do. A number is of runs.`;
  ($("matrix").querySelector("td.tried") ?? $("matrix").querySelector("tbody td")).tabIndex = 0;
}

function struckText(cell) {
  const idle = cell.not_fired ? `not fired on ${counted(cell.not_fired, "CPU")}` : "";
  return [listed(cell.outcomes), idle].filter(Boolean).join("; ");
}

/** The matrix in words: on paper nothing hovers. */
function fillOutcomes() {
  for (const cell of data.cells)
    $("outcomes").tBodies[0].append(element("tr", {},
      element("td", {}, data.places[cell.place]), element("td", {}, data.actions[cell.action].name),
      element("td", { class: "figure" }, String(cell.runs.length)), element("td", {}, listed(verdictsOf(cell))),
      element("td", {}, struckText(cell))));
}

function watchPrinting() {
  const details = document.querySelector("details");
  let open = false;
  window.addEventListener("beforeprint", () => { open = details.open; details.open = true; });
  window.addEventListener("afterprint", () => { details.open = open; });
}

function choose(cell) {
  chosen = cell;
  for (const td of $("matrix").querySelectorAll("tbody td"))
    td.setAttribute("aria-selected", String(cell !== null && +td.dataset.place === cell.place && +td.dataset.action === cell.action));
  $("detail").textContent = cell ? tell(cell.place, cell.action) : "";
  fillRuns();
}

function focusOn(td) {
  for (const other of $("matrix").querySelectorAll('td[tabindex="0"]')) other.tabIndex = -1;
  td.tabIndex = 0;
  td.focus();
  $("detail").textContent = tell(+td.dataset.place, +td.dataset.action);
}

function take(td) {
  const cell = cells.get(`${td.dataset.place},${td.dataset.action}`);
  if (cell) choose(cell === chosen ? null : cell);
}

function watchMatrix() {
  const at = (place, action) => $("matrix").querySelector(`td[data-place="${place}"][data-action="${action}"]`);
  $("matrix").addEventListener("click", (event) => {
    const td = event.target.closest("tbody td");
    if (!td) return;
    focusOn(td);
    take(td);
  });
  $("matrix").addEventListener("keydown", (event) => {
    const td = event.target.closest("tbody td");
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (td && step) {
      const next = at(+td.dataset.place + step[0], +td.dataset.action + step[1]);
      if (next) focusOn(next);
    } else if (td && (event.key === "Enter" || event.key === " ")) take(td);
    else return;
    event.preventDefault();
  });
}

const faults = data.runs.map(() => []); // of each run, in words
for (const cell of data.cells) for (const run of cell.runs) faults[run].push(nameOf(cell.place, cell.action));

const texts = data.runs.map((run, i) =>
  [run.file, run.title, run.verdict, `seed ${run.seed}`, ...run.findings, ...faults[i]].join("\n").toLowerCase());

const ORDERS = {
  slow: (a, b) => data.runs[b].seconds - data.runs[a].seconds,
  bad: (a, b) => WORST.indexOf(data.runs[a].verdict) - WORST.indexOf(data.runs[b].verdict),
  name: (a, b) => (data.runs[a].file < data.runs[b].file ? -1 : data.runs[a].file > data.runs[b].file ? 1 : data.runs[a].seed - data.runs[b].seed),
};

function runRow(index) {
  const run = data.runs[index];
  const several = data.repeat > 1 ? ` (seed ${run.seed})` : "";
  const name = run.page ? element("a", { href: run.page }, run.file + several) : run.file + several;
  const differs = element("td");
  for (const finding of run.findings) differs.append(element("div", {}, finding));
  if (run.verdict !== "pass") differs.append(element("small", {}, "again: ", element("code", {}, run.again)));
  return element("tr", { "data-run": index },
    element("td", { class: `verdict v-${run.verdict}` }, run.verdict.toUpperCase()),
    element("td", { class: "figure" }, run.seconds.toFixed(2)),
    element("td", {}, name, element("small", {}, [run.title, ...faults[index]].join("; "))),
    differs);
}

function fillRuns() {
  const words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const among = chosen ? chosen.runs : data.runs.map((_, i) => i);
  const found = among.filter((run) => words.every((word) => texts[run].includes(word)));
  found.sort((a, b) => ORDERS[$("sort").value](a, b) || a - b);
  $("runs").tBodies[0].replaceChildren(...found.slice(0, MOST_ROWS).map(runRow));
  const of = chosen ? ` of ${nameOf(chosen.place, chosen.action)}` : "";
  $("found").textContent = found.length === data.runs.length ? "" : `${found.length} of ${data.runs.length}${of}`;
  $("more").textContent = found.length > MOST_ROWS ? `and ${found.length - MOST_ROWS} more: narrow the filter` : "";
}

function watchKeys() {
  $("filter").addEventListener("input", fillRuns);
  $("sort").addEventListener("change", fillRuns);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && event.target.tagName !== "INPUT") {
      $("filter").focus();
      event.preventDefault();
    } else if (event.key === "Escape") {
      $("filter").value = "";
      choose(null);
    }
  });
}

function watchTheme() {
  const themes = ["", "light", "dark"];
  let at = 0;
  const set = () => {
    if (themes[at]) document.documentElement.dataset.theme = themes[at];
    else delete document.documentElement.dataset.theme;
    $("theme").textContent = themes[at] || "auto";
  };
  set();
  $("theme").addEventListener("click", () => { at = (at + 1) % themes.length; set(); });
}

fillHead();
fillMatrix();
fillOutcomes();
fillRuns();
watchMatrix();
watchKeys();
watchPrinting();
watchTheme();
document.body.dataset.ready = "yes";
