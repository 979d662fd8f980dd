// Everything around the timeline.
const $ = (id) => document.getElementById(id);

/** Fills a section, and shows it only if there is something in it. */
function fill(id, ...content) {
  $(id).replaceChildren(...content);
  $(`s-${id}`).hidden = content.length === 0;
}

function table(headings, rows, figures = new Set()) {
  const cell = (name, value, i) => element(name, figures.has(i) ? { class: "figure" } : {}, value instanceof Node ? value : String(value));
  return element("table", {},
    element("thead", {}, element("tr", {}, ...headings.map((h, i) => cell("th", h, i)))),
    element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map((value, i) => cell("td", value, i))))));
}

function fillHead() {
  $("badge").textContent = run.verdict.toUpperCase();
  $("badge").classList.add(run.verdict);
  $("title").textContent = run.title || run.scenario;
  $("about").textContent = `${run.scenario} · ${run.backend} · ${run.strategy} · seed ${run.seed} · exit ${run.exit}`;
  const count = (what) => run.cpus.filter((cpu) => text(cpu[1]) === what).length;
  const figures = run.cpus.length === 0 ? [] : [["online", `${count("online")} of ${run.cpus.length}`], ["failed", count("failed")]];
  for (const [name, us] of [["brought up in", run.bringup_us], ["decided in", run.decided_us], ["machine created in", run.create_us], ["in all", run.total_us]])
    if (us) figures.push([name, duration(us)]);
  $("figures").append(...figures.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, String(value)))));
}

function fillFindings() {
  const findings = run.differences.map((difference) => element("p", { class: "finding" }, difference));
  for (const invariant of run.invariants)
    if (invariant.holds === false)
      findings.push(element("p", { class: "finding" }, element("b", {}, invariant.name), `: ${invariant.evidence}`));
  if (findings.length !== 0 && run.advice) findings.push(element("pre", {}, run.advice.trimEnd()));
  fill("findings", ...findings);
}

function fillInvariants() {
  const word = (holds) => element("span", { class: holds === null ? "unjudged" : holds ? "holds" : "broken" }, holds === null ? "not judged" : holds ? "holds" : "broken");
  fill("invariants", ...(run.invariants.length === 0 ? [] : [
    table(["invariant", "", "evidence"], run.invariants.map((i) => [element("code", {}, i.name), word(i.holds), i.evidence])),
  ]));
}

function fillStuck() {
  const many = run.stuck.length > 8;
  fill("stuck", ...run.stuck.map((cpu, i) => {
    const go = element("button", { type: "button", title: "Show it in the timeline" }, `CPU ${cpu.cpu}`);
    go.addEventListener("click", () => {
      const track = tracks.find((t) => t.cpu === cpu.cpu && !t.control);
      $("timeline").scrollIntoView({ block: "center" });
      $("timeline").focus();
      choose(Math.max(view.shown.indexOf(track.index), 0), true);
    });
    const head = element("summary", {}, go, ` ${cpu.reason}`);
    const details = element("details", many && i >= 4 ? {} : { open: "" }, head);
    if (cpu.text) details.append(element("pre", {}, cpu.text.trimEnd()));
    return details;
  }));
}

/** How the times of a stretch are spread, as a histogram. */
function histogram(row) {
  const width = 260, height = 70, parts = Math.min(26, Math.max(6, Math.ceil(Math.sqrt(row.times.length)) * 2));
  const { min, max, median } = row.spread;
  const span = Math.max(max - min, 1e-9);
  const bins = Array.from({ length: parts }, () => []);
  for (const [cpu, us] of row.times) bins[Math.min(Math.floor(((us - min) / span) * parts), parts - 1)].push(cpu);
  const most = Math.max(...bins.map((bin) => bin.length));
  const svg = shape("svg", { viewBox: `0 0 ${width} ${height + 14}`, role: "img", "aria-label": `${row.from} to ${row.to}: from ${duration(min)} to ${duration(max)}, median ${duration(median)}` });
  bins.forEach((bin, i) => {
    if (bin.length === 0) return;
    const tall = (bin.length / most) * height;
    const bar = shape("rect", { class: "bar", x: (i * width) / parts + 0.5, y: height - tall, width: width / parts - 1, height: tall });
    const who = bin.length <= 8 ? `CPU ${bin.join(", ")}` : `${bin.length} CPUs`;
    bar.append(shape("title", {}, `${duration(min + (i * span) / parts)} to ${duration(min + ((i + 1) * span) / parts)}: ${who}`));
    svg.append(bar);
  });
  const middle = ((median - min) / span) * width;
  svg.append(shape("line", { class: "median", x1: middle, x2: middle, y1: 0, y2: height }));
  svg.append(shape("text", { class: "dim", x: 0, y: height + 12 }, duration(min)));
  svg.append(shape("text", { class: "dim", x: width, y: height + 12, "text-anchor": "end" }, duration(max)));
  return svg;
}

function fillLatencies() {
  fill("latencies", ...run.stretches.map((row) => element("figure", { class: "chart" },
    element("figcaption", {}, element("b", {}, `${row.from} → ${row.to}`),
      element("small", {}, `median ${duration(row.spread.median)}, least CPU ${row.spread.min_cpu}, most CPU ${row.spread.max_cpu}`)),
    histogram(row))));
}

function share(part, whole) {
  return element("span", { class: "share", style: `width:${((180 * part) / Math.max(whole, 1e-9)).toFixed(1)}px` });
}

function fillBlame() {
  const all = run.blame.reduce((sum, part) => sum + part.us, 0);
  fill("blame", ...(run.blame.length === 0 ? [] : [table(["", "", "", ""], run.blame.map((part) =>
    [element("b", {}, part.name), duration(part.us), share(part.us, all), part.about]), new Set([1]))]));
}

function fillChain() {
  const { links, total, gap } = run.chain;
  if (links.length === 0) return fill("chain");
  const tableOf = (some) => table(["from", "for", "", "who", "what"], some.map((link) =>
    [moment(link.from), duration(link.to - link.from), share(link.to - link.from, total), `CPU ${link.cpu}`, link.what]), new Set([0, 1]));
  const content = [];
  if (links.length <= 40) {
    content.push(tableOf(links));
  } else {
    const longest = [...links].sort((a, b) => b.to - b.from - (a.to - a.from)).slice(0, 12).sort((a, b) => a.from - b.from);
    content.push(element("p", {}, `The ${longest.length} longest of ${links.length} links:`), tableOf(longest),
      element("details", {}, element("summary", {}, `All ${links.length}`), tableOf(links)));
  }
  if (gap) content.unshift(element("p", { class: "hint" }, `The events do not tell all: ${gap}`));
  fill("chain", ...content);
}

function fillCpus() {
  const points = ["kick", "alive", "started", "synced", "online", "idle", "active"];
  const rows = run.cpus.map((c) => [c[0], text(c[2]) || text(c[1]), c[3], ...c.slice(4).map((us) => (us === null ? "-" : (us / 1000).toFixed(3)))]);
  fill("cpus", ...(rows.length === 0 ? [] : [table(["CPU", "outcome", "attempts", ...points.map((p) => `${p}, ms`)], rows, new Set([0, 2, 3, 4, 5, 6, 7, 8, 9]))]));
}

function fillRest() {
  const faults = run.faults.replace(/^faults\n/, "").trimEnd();
  fill("faults", ...(faults ? [faults] : []));
  $("toml").textContent = run.toml.trimEnd();
  $("again").textContent = run.again;
  const host = run.host;
  $("host").append(host === null ? element("p", { class: "hint" }, run.backend === "sim" ? "A simulated machine: all times are virtual." : "Not known.")
    : table(["", ""], [["processor", host.cpu_model], ["processors online", host.cpus_online], ["kernel", host.kernel], ["KVM API", host.kvm_api],
      ["vCPUs, recommended and at most", `${host.kvm_recommended_vcpus}, ${host.kvm_max_vcpus}`]]));
}

function fillLegend() {
  const swatch = (classes, name) => {
    const svg = shape("svg", { width: 22, height: 12 });
    svg.append(shape("rect", { class: classes, width: 22, height: 12 }));
    return element("span", {}, svg, name);
  };
  $("legend").append(...["alive", "started", "synced", "online", "idle", "active"].map((p) => swatch(`k-turn p-${p}`, `on its way to ${p}`)),
    swatch("k-wait", "waits for its release"), swatch("k-step", "step"), swatch("k-up", "up"), swatch("k-late", "given up"),
    swatch("k-prepare", "control CPU prepares"), swatch("k-kick", "kick"), swatch("k-release", "release"), swatch("hold", "held by a fault"));
}

/** The table of contents: the sections that are shown. */
function fillContents() {
  for (const section of document.querySelectorAll("main > section:not([hidden])"))
    $("toc").append(element("a", { href: `#${section.id}` }, section.querySelector("h2").textContent));
}
