// Confusion matrices of two methods and their difference, the mistakes with their images, and calibration.
(() => {
  const { data, state, el, format, swatch, chart, plot, select } = lecturebench;
  const sets = data.predictions ?? [];
  const body = document.getElementById("predictions-body");
  if (!sets.length || !body) return;
  body.hidden = false;
  const byId = (id) => document.getElementById(id);
  const rowOf = (one) => data.rows[one.row];
  const named = (one) => {
    const row = rowOf(one);
    return `${row.title} (${row.benchmark}${row.profile === "lecture" ? "" : `, ${row.profile}`}${row.backend === "tensorflow" || row.backend === "scikit-learn" ? "" : `, ${row.backend}`})`;
  };

  // Which dataset, and which two methods of it. A row is named by its id.
  const dataset = () => sets.find((set) => set.dataset === state.get("on")) ?? sets[0];
  const ranked = (set) => [...set.rows].sort((a, b) => a.mistakes - b.mistakes);
  const pick = (set, name, fallback) => set.rows.find((one) => String(one.row) === state.get(name)) ?? fallback;
  const first = (set) => pick(set, "method", ranked(set)[0]);
  const second = (set) => pick(set, "against", null);

  const controls = byId("predictions-controls");
  if (sets.length > 1) controls.append(select("on", "Dataset", sets.map((set) => [set.dataset, set.dataset])));
  const methods = (name, label, none) => {
    const list = el("select", { id: `control-${name}`, onchange: () => state.set({ [name]: list.value }) });
    const update = () => {
      const set = dataset();
      list.replaceChildren(
        ...(none ? [el("option", { value: "" }, none)] : []),
        ...ranked(set).map((one) => el("option", { value: one.row }, named(one))),
      );
      const chosen = none ? second(set) : first(set);
      list.value = chosen ? String(chosen.row) : "";
    };
    state.follow(update);
    return el("label", { class: "control" }, el("span", {}, label), list);
  };
  controls.append(methods("method", "Method", ""), methods("against", "Compared with", "nothing"));

  // A table of counts. Off the diagonal shaded by their share of the largest; a click shows those images.
  const count = (value) => (value === 0 ? "" : value >= 9.95 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1));
  const signed = (value) => (value === 0 ? "" : `${value > 0 ? "+" : "−"}${count(Math.abs(value))}`);
  const matrix = (set, counts, title, note, { difference = false, one = null } = {}) => {
    const k = set.classes.length;
    let worst = 0;
    counts.forEach((line, i) => line.forEach((value, j) => { if (i !== j) worst = Math.max(worst, Math.abs(value)); }));
    const cell = (value, i, j) => {
      const text = difference ? signed(value) : count(value);
      if (i === j) return el("td", { class: "right" }, text);
      if (!text) return el("td");
      const share = (Math.abs(value) / (worst || 1)).toFixed(3);
      const label = `${set.classes[i]} taken for ${set.classes[j]}: ${text}`;
      const shade = { style: `--share:${share}`, class: difference && value < 0 ? "fewer" : null };
      if (!one) return el("td", { ...shade, title: label }, text);
      return el("td", shade, el("button", {
        type: "button", class: "cell", "aria-label": `${label}; show them`, title: label,
        onclick: () => {
          state.set({ method: String(one.row), true: String(i), as: String(j), all: null });
          byId("mistakes-lead").scrollIntoView({ block: "center" });
        },
      }, text));
    };
    return el("figure", { class: "card" },
      el("h4", {}, title),
      el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": note },
        el("table", { class: "matrix", "aria-label": note },
          el("thead", {}, el("tr", {},
            el("th", { scope: "col" }, el("span", { class: "hidden" }, "true class, then predicted:")),
            set.classes.map((name) => el("th", { scope: "col", title: name }, name)))),
          el("tbody", {}, counts.map((line, i) => el("tr", {},
            el("th", { scope: "row", title: set.classes[i] }, set.classes[i]), line.map((value, j) => cell(value, i, j))))))),
      el("figcaption", {}, note));
  };
  const titled = (one) => [swatch(rowOf(one)), el("bdi", {}, rowOf(one).title)];
  const runs = (one) => (one.runs === 1 ? "one run" : `mean per run over ${one.runs} runs`);
  const commonest = (set, one) => {
    const cells = one.counts.flatMap((line, i) => line.map((value, j) => ({ value, i, j }))).filter(({ value, i, j }) => i !== j && value > 0);
    cells.sort((a, b) => b.value - a.value);
    return cells.slice(0, 3).map(({ value, i, j }) => `${set.classes[i]} for ${set.classes[j]} (${count(value)})`).join(", ");
  };
  const confusions = () => {
    const set = dataset();
    const [a, b] = [first(set), second(set)];
    const shown = [matrix(set, a.counts, titled(a), `Rows are true classes, columns predicted ones; ${runs(a)}.`, { one: a })];
    let lead = `${rowOf(a).title} takes most often ${commonest(set, a) || "nothing for anything else"}.`;
    if (b && b !== a) {
      const change = b.counts.map((line, i) => line.map((value, j) => Math.round(10 * (value - a.counts[i][j])) / 10));
      shown.push(matrix(set, b.counts, titled(b), `Rows are true classes, columns predicted ones; ${runs(b)}.`, { one: b }));
      shown.push(matrix(set, change, `${rowOf(b).title} less ${rowOf(a).title}`,
        `Difference per run: + where ${rowOf(b).title} does so more often.`, { difference: true }));
      lead += ` ${rowOf(b).title} ${commonest(set, b) || "nothing"}.`;
    }
    byId("confusion-lead").textContent = lead;
    byId("confusion-matrices").replaceChildren(...shown);
  };

  // Of the examples that the page carries those that a method gets wrong, its surest first; one of them with its words.
  const missed = (set, one) => set.items.map(([index, y], i) => ({ index, y, i })).filter(({ y, i }) => one.predicted[i] !== y)
    .sort((p, q) => one.sure[q.i] - one.sure[p.i]);
  const inTotal = (set, one, title = rowOf(one).title) => `${title} takes ${format.count(one.mistakes)} of ${format.count(set.n)} test examples for something else${one.runs > 1 ? " in most of its runs" : ""}`;
  // One rule for each picture of all images: as a style of every image its address would be read a thousand times.
  document.head.append(el("style", {}, sets.map((set, i) => (set.sprite ? `.sprite-${i}{background-image:url(${set.sprite})}` : "")).join("")));
  const SCALE = 2;
  const picture = (set, one, { y, i }) => {
    if (set.texts) return el("blockquote", {}, set.texts[i]);
    const [height, width] = set.size ?? [0, 0];
    const [line, column] = [Math.floor(i / set.columns), i % set.columns];
    const columns = Math.min(set.columns, set.items.length);
    return el("span", {
      class: `sprite sprite-${sets.indexOf(set)}`, role: "img", "aria-label": `${set.classes[y]}, taken for ${set.classes[one.predicted[i]]}`,
      style: `width:${SCALE * width}px;height:${SCALE * height}px;`
        + `background-size:${SCALE * width * columns}px auto;background-position:-${SCALE * width * column}px -${SCALE * height * line}px`,
    });
  };
  const mistake = (set, one, item) => el("li", {}, picture(set, one, item),
    el("span", {}, el("span", { class: "hidden" }, "true "), set.classes[item.y], el("span", { "aria-hidden": "true" }, " → "),
      el("span", { class: "hidden" }, "taken for "), el("b", {}, set.classes[one.predicted[item.i]])),
    el("span", { class: "quiet" }, `${one.sure[item.i] === null ? "" : `${one.sure[item.i]}%`}${one.runs > 1 ? ` · ${one.wrong[item.i]}/${one.runs}` : ""}`));

  // The better first, by the metric that the table of their benchmark shows of them.
  const byMean = (a, b) => {
    const [p, q] = [rowOf(a), rowOf(b)];
    const sign = lecturebench.aboutMetric(p.metric).better === "lower" ? 1 : -1;
    return (p.mean === null) - (q.mean === null) || sign * (p.mean - q.mean) || a.row - b.row;
  };
  // Beside the figures of each benchmark: what the best of its methods gets wrong.
  for (const place of document.querySelectorAll(".mistakes-here")) {
    const set = sets.find((known) => known.dataset === place.dataset.dataset);
    const own = set.rows.filter((known) => {
      const row = rowOf(known);
      return row.benchmark === place.dataset.benchmark && row.profile === place.dataset.profile;
    });
    const [one, ...others] = own.sort(byMean);
    const title = others.some((other) => rowOf(other).title === rowOf(one).title) ? named(one) : undefined;
    const found = one ? missed(set, one).slice(0, set.texts ? 3 : 18) : [];
    if (!found.length) continue;
    const more = new URLSearchParams({ on: set.dataset, method: one.row });
    place.hidden = false;
    place.append(
      el("h5", {}, "What the best of them gets wrong"),
      el("p", {}, `${inTotal(set, one, title)}; here those of which it is surest. `, el("a", { href: `#predictions?${more}` }, "All that the page has, of every method")),
      el("ul", { class: set.texts ? "gallery texts" : "gallery" }, found.map((item) => mistake(set, one, item))));
  }

  // The mistakes that the page carries, of one method or of all of its benchmark.
  const PAGE = 48;
  let limit = PAGE;
  let listed = "";
  const filters = byId("mistakes-controls");
  const classes = (name, label) => {
    const list = el("select", { id: `control-${name}`, onchange: () => state.set({ [name]: list.value }) });
    state.follow(() => {
      list.replaceChildren(el("option", { value: "" }, "any"), ...dataset().classes.map((text, i) => el("option", { value: i }, text)));
      list.value = state.get(name);
      if (list.selectedIndex < 0) list.value = "";
    });
    return el("label", { class: "control" }, el("span", {}, label), list);
  };
  const everyone = el("input", { type: "checkbox", id: "control-all", onchange: () => state.set({ all: everyone.checked ? "yes" : null }) });
  state.follow(() => { everyone.checked = state.get("all") === "yes"; });
  filters.append(classes("true", "True class"), classes("as", "Taken for"),
    el("label", { class: "control check" }, everyone, el("span", {}, "Only what every method of its benchmark gets wrong")));
  const mistakes = () => {
    const set = dataset();
    const one = first(set);
    const row = rowOf(one);
    const beside = set.rows.filter((other) => rowOf(other).benchmark === row.benchmark && rowOf(other).profile === row.profile);
    const [truth, as] = [state.get("true"), state.get("as")];
    const all = missed(set, one);
    const found = all.filter(({ y, i }) => (truth === "" || y === Number(truth)) && (as === "" || one.predicted[i] === Number(as))
      && (state.get("all") !== "yes" || beside.every((other) => other.predicted[i] !== y)));
    const key = `${one.row} ${truth} ${as} ${state.get("all")}`;
    if (key !== listed) { listed = key; limit = PAGE; }
    const total = inTotal(set, one);
    const carried = all.length;
    byId("mistakes-lead").textContent = set.items.length
      ? `${total}. `
        + `${format.count(carried)} of them are on this page, the surest first${found.length < carried ? `; ${format.count(found.length)} are as chosen above` : ""}.`
      : `${total}.`;
    byId("mistakes").classList.toggle("texts", Boolean(set.texts));
    byId("mistakes").replaceChildren(...found.slice(0, limit).map((item) => mistake(set, one, item)));
    byId("mistakes-more").hidden = found.length <= limit;
  };
  byId("mistakes-more").addEventListener("click", () => { limit += PAGE; mistakes(); });

  // Right answers against stated probability: the two methods chosen.
  const lines = () => {
    const set = dataset();
    return [first(set), second(set)].filter((one, i, all) => one && all.indexOf(one) === i);
  };
  const inWords = (one) => {
    const n = one.bins.reduce((sum, [count]) => sum + count, 0);
    const mean = (k) => ((100 * one.bins.reduce((sum, bin) => sum + bin[0] * bin[k], 0)) / n).toFixed(1);
    return `${mean(1)}% sure on average, right in ${mean(2)}%`;
  };
  const marks = { o: "circle", s: "square", D: "diamond", "^": "triangle", v: "wye", P: "plus", X: "times", "*": "star" };
  const calibration = chart(byId("calibration"), (width) => {
    const points = lines().flatMap((one) => one.bins.map(([n, sure, right]) => ({ n, sure, right, row: rowOf(one) })));
    return plot(Math.min(width, 640), {
      height: Math.min(width, 640) * 0.72,
      marginTop: 34,
      marginBottom: 48,
      x: { domain: [0, 1], label: "stated probability →", labelOffset: 44, tickFormat: format.percent },
      y: { domain: [0, 1], label: "↑ share right", tickFormat: format.percent, grid: true },
      r: { range: [3, 11] },
      marks: [
        Plot.line([[0, 0], [1, 1]], { stroke: "var(--muted)", strokeDasharray: "4 4" }),
        ...lines().map((one) => Plot.line(points.filter((point) => point.row === rowOf(one)), { x: "sure", y: "right", stroke: rowOf(one).css, strokeWidth: 2 })),
        ...lines().map((one) => Plot.dot(points.filter((point) => point.row === rowOf(one)), {
          x: "sure", y: "right", r: 5, fill: rowOf(one).css, symbol: marks[rowOf(one).marker] ?? "circle",
          title: (point) => `${format.count(point.n)} predictions, ${format.percent(point.sure)} sure, ${format.percent(point.right)} right`,
        })),
      ],
    });
  }, () => lines().map((one) => `${rowOf(one).title}: ${inWords(one)}`).join("; "));
  const key = () => byId("calibration-key").replaceChildren(
    ...lines().flatMap((one, i) => [i ? "; " : "", swatch(rowOf(one)), `${rowOf(one).title}: ${inWords(one)}`]));

  state.follow(() => { confusions(); mistakes(); calibration.redraw(); key(); });
})();
