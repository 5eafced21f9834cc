// The table of all rows: sorted and filtered, its state in the address. `lecturebench.explore.rows()` is what it shows.
(() => {
  const { data, state, el, format, swatch, select } = lecturebench;
  const { follow } = lecturebench.explore;
  const home = document.getElementById("explore-table");
  lecturebench.explore.rows = () => [];
  if (!home) return;
  const narrow = matchMedia("(max-width: 46rem)");
  const first = () => (narrow.matches ? 6 : 15); // as many rows are shown unasked
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const rows = data.rows;
  const metrics = [...new Set(rows.map((row) => row.metric))];
  const verdicts = Object.keys(data.signs);
  const WITHOUT = "without a claim";

  // A link to another part of the page; the address keeps this view, so that Back leads here again.
  const inside = (anchor, properties, ...children) =>
    el(
      "a",
      {
        href: `#${encodeURIComponent(anchor)}`,
        onclick(event) {
          const [, query] = location.hash.split("?");
          if (!query || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
          event.preventDefault();
          const target = `#${encodeURIComponent(anchor)}?${query}`;
          if (location.hash === target) dispatchEvent(new HashChangeEvent("hashchange"));
          else location.hash = target;
        },
        ...properties,
      },
      ...children,
    );

  const chip = (claim) =>
    inside(
      claim.anchor,
      { class: `verdict ${claim.verdict}`, "aria-label": `${claim.word}: ${claim.name}, show the evidence` },
      el("span", { "aria-hidden": "true" }, data.signs[claim.verdict]),
      el("span", {}, claim.word),
    );
  const runs = (row) => (row.failed ? `${row.n} + ${row.failed} failed` : String(row.n));
  const metricOf = (row) =>
    metrics.length > 1 && row.metric !== "error" ? el("span", { class: "quiet" }, ` ${row.metric}`) : null;

  // key: in the address. of: what is sorted by, null for nothing; cell: what is shown.
  const text = (key, title, of = (row) => row[key]) => ({ key, title, of, cell: (row) => el("bdi", {}, of(row)) });
  const number = (key, title, of, cell) => ({ key, title, of, cell, number: true });
  const columns = [
    { key: "method", title: "Method", of: (row) => row.title, cell: (row) => [swatch(row), el("bdi", {}, row.title)] },
    {
      key: "benchmark",
      title: "Benchmark",
      of: (row) => row.benchmark,
      cell: (row) => inside(row.section, { title: row.benchmarkTitle }, el("bdi", {}, row.benchmark)),
    },
    text("dataset", "Dataset"),
    number(
      "value",
      metrics.every((name) => name === "error") ? "Test error" : "Measured",
      (row) => row.mean,
      (row) => [el("span", { class: "number" }, format.value(row.mean, row.metric)), metricOf(row)],
    ),
    number(
      "sd",
      "± sd",
      (row) => row.sd,
      (row) => format.value(row.sd, row.metric),
    ),
    number("n", "Runs", (row) => row.n, runs),
    {
      key: "verdict",
      title: "Verdict",
      of: (row) => (row.claims.length ? d3.min(row.claims, (claim) => verdicts.indexOf(claim.verdict)) : null),
      cell: (row) =>
        row.claims.map((claim) =>
          el(
            "span",
            { class: "chip" },
            chip(claim),
            claim.kind === "number" ? null : el("span", { class: "quiet" }, ` ${claim.kind}`),
          ),
        ),
    },
    number(
      "parameters",
      "Parameters",
      (row) => row.parameters,
      (row) => (row.parameters === null ? "–" : format.count(row.parameters)),
    ),
    number(
      "time",
      "Time per fit",
      (row) => row.seconds,
      (row) => format.seconds(row.seconds),
    ),
    number(
      "predicting",
      "Time to predict",
      (row) => row.predicting,
      (row) => format.seconds(row.predicting),
    ),
    text("backend", "Backend"),
    text("device", "Device"),
    ...(new Set(rows.map((row) => row.profile)).size > 1 ? [text("profile", "Profile")] : []),
  ];

  // Filters, of which those are offered that leave something out.
  const words = (row) => (row.claims.length ? row.claims.map((claim) => claim.word) : [WITHOUT]);
  const known = new Set(rows.flatMap(words));
  const wordOrder = ["reproduced", "better", "worse", "contradicted", "inconclusive", "not run", WITHOUT];
  const filters = [
    ["benchmark", "Benchmark", (row) => [row.benchmark]],
    ["dataset", "Dataset", (row) => [row.dataset]],
    ["verdict", "Verdict", words, wordOrder.filter((word) => known.has(word))],
    ["backend", "Backend", (row) => [row.backend]],
    ["device", "Device", (row) => [row.device]],
    ["profile", "Profile", (row) => [row.profile]],
  ]
    .map(([key, label, of, values]) => ({ key, label, of, values: values ?? [...new Set(rows.flatMap(of))] }))
    .filter((filter) => filter.values.length > 1);
  const plain = (value) => value.normalize("NFKC").toLowerCase();
  const texts = new Map(rows.map((row) => [row, plain(`${row.title} ${row.method}`)]));
  const filtered = () => {
    const wanted = plain(state.get("search")).split(/\s+/).filter(Boolean);
    return rows.filter(
      (row) =>
        wanted.every((word) => texts.get(row).includes(word)) &&
        filters.every(({ key, of, values }) => !values.includes(state.get(key)) || of(row).includes(state.get(key))),
    );
  };

  // Nothing always comes last; values of different metrics are not compared.
  const sorted = (chosen) => {
    const wish = state.get("sort");
    const column = columns.find(({ key }) => key === wish.replace(/^-/, ""));
    if (!column) return chosen;
    const sign = wish.startsWith("-") ? -1 : 1;
    const compare = (a, b) => (typeof a === "string" ? collator.compare(a, b) : a - b);
    const ofMetric = (row) => (["value", "sd"].includes(column.key) ? metrics.indexOf(row.metric) : 0);
    return [...chosen].sort((one, other) => {
      const [a, b] = [column.of(one), column.of(other)];
      if (a === null || b === null) return (a === null) - (b === null) || one.id - other.id;
      return ofMetric(one) - ofMetric(other) || sign * compare(a, b) || one.id - other.id;
    });
  };

  // Search box, lists, and for cards, which have no headers, a list of orders.
  let pause = 0; // while letters are typed that the address has not yet
  const search = el("input", {
    type: "search",
    id: "control-search",
    autocomplete: "off",
    spellcheck: "false",
    oninput() {
      clearTimeout(pause);
      pause = setTimeout(() => {
        pause = 0;
        state.set({ search: search.value }, undefined, { keep: Boolean(state.get("search") && search.value) });
      }, 120);
    },
  });
  const orders = columns.flatMap(({ key, title }) => [
    [key, `${title} ↑`],
    [`-${key}`, `${title} ↓`],
  ]);
  const order = select("sort", "Sort by", [["", "the page's order"], ...orders]);
  order.classList.add("order");
  const clear = el(
    "button",
    {
      type: "button",
      onclick: () => state.set(Object.fromEntries([["search", null], ...filters.map(({ key }) => [key, null])])),
    },
    "Clear filters",
  );
  const controls = el(
    "div",
    { class: "controls", role: "search", "aria-label": "Rows" },
    el("label", { class: "control" }, el("span", {}, "Method"), search),
    filters.map(({ key, label, values }) =>
      select(key, label, [["", "all"], ...values.map((value) => [value, value])]),
    ),
    order,
  );

  // A header sorts upwards, then downwards, then not at all.
  const headers = columns.map(({ key, title, number: right }) => {
    const arrow = el("span", { class: "arrow", "aria-hidden": "true" });
    const next = () =>
      ({ "": key, [key]: `-${key}` })[["", key, `-${key}`].includes(state.get("sort")) ? state.get("sort") : ""] ??
      null;
    const button = el("button", { type: "button", onclick: () => state.set({ sort: next() }) }, title, arrow);
    return {
      key,
      arrow,
      cell: el("th", { scope: "col", role: "columnheader", class: right ? "right" : null }, button),
    };
  });
  const lines = new Map(
    rows.map((row) => [
      row,
      el(
        "tr",
        { role: "row" },
        columns.map(({ key, title, number: right, cell }, i) =>
          el(
            i ? "td" : "th",
            {
              role: i ? "cell" : "rowheader",
              scope: i ? null : "row",
              class: right ? "right" : null,
              "data-key": key,
              "data-label": title,
            },
            cell(row),
          ),
        ),
      ),
    ]),
  );
  const body = el("tbody", { role: "rowgroup" });
  const table = el(
    "table",
    { class: "plain all-rows", role: "table", "aria-label": "All rows" },
    el(
      "thead",
      { role: "rowgroup" },
      el(
        "tr",
        { role: "row" },
        headers.map(({ cell }) => cell),
      ),
    ),
    body,
  );
  const nothing = el("p", { hidden: true }, "No row is left by these filters.");
  const count = el("p", { class: "count", "aria-live": "polite" });
  const rest = el("button", { type: "button", onclick: () => state.set({ rows: state.get("rows") ? null : "all" }) });

  // The table as a file: what the filters leave, in its order.
  const guarded = (value) =>
    typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value ?? "");
  const quoted = (value) => (/[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const FIELDS = [
    "benchmark",
    "dataset",
    "method",
    "title",
    "metric",
    "mean",
    "sd",
    "n",
    "failed",
    "parameters",
    "seconds",
    "backend",
    "device",
    "profile",
  ];
  const csv = () =>
    [
      [...FIELDS, "claims"],
      ...sorted(filtered()).map((row) => [
        ...FIELDS.map((field) => row[field]),
        row.claims.map((claim) => `${claim.name}: ${claim.word}`).join("; "),
      ]),
    ]
      .map((line) => line.map((value) => quoted(guarded(value))).join(","))
      .join("\n") + "\n";
  const download = el(
    "button",
    {
      type: "button",
      onclick() {
        const href = URL.createObjectURL(new Blob([csv()], { type: "text/csv;charset=utf-8" }));
        el("a", { href, download: "rows.csv" }).click();
        setTimeout(() => URL.revokeObjectURL(href), 60_000);
      },
    },
    "Download CSV",
  );

  // The view's address for the clipboard; where that is refused, to copy by hand.
  const said = el("span", { class: "quiet", role: "status" });
  const address = el("input", {
    type: "text",
    readonly: true,
    hidden: true,
    class: "address",
    "aria-label": "Link to this view",
  });
  const copy = el(
    "button",
    {
      type: "button",
      async onclick() {
        const [, query] = location.hash.split("?");
        address.value = `${location.href.split("#")[0]}#explore${query ? `?${query}` : ""}`;
        address.hidden = true;
        try {
          await navigator.clipboard.writeText(address.value);
          said.textContent = "Copied.";
        } catch {
          address.hidden = false;
          address.focus();
          address.select();
          said.textContent = document.execCommand("copy") ? "Copied." : "Copy it from here:";
        }
      },
    },
    "Copy link to this view",
  );

  home.append(
    controls,
    el("div", { class: "actions" }, count, clear, el("span", { class: "apart" }), copy, download, said, address),
    el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "All rows" }, table),
    nothing,
    rest,
  );

  let shown = filtered();
  lecturebench.explore.rows = () => shown;
  const update = () => {
    if (!pause) search.value = state.get("search");
    shown = filtered();
    const all = state.get("rows") === "all";
    const more = shown.length > first() + 5;
    body.replaceChildren(
      ...sorted(shown).map((row, i) => {
        lines.get(row).classList.toggle("more", more && !all && i >= first());
        return lines.get(row);
      }),
    );
    const many =
      shown.length === rows.length
        ? `${rows.length} ${rows.length === 1 ? "row" : "rows"}`
        : `${shown.length} of ${rows.length} rows`;
    if (count.textContent !== many) count.textContent = many;
    nothing.hidden = shown.length > 0;
    clear.hidden = shown.length === rows.length;
    rest.hidden = !more;
    rest.textContent = all ? `Show the first ${first()} rows` : `Show all ${shown.length} rows`;
    const wish = state.get("sort");
    for (const { key, arrow, cell } of headers) {
      const direction = wish === key ? "ascending" : wish === `-${key}` ? "descending" : null;
      arrow.textContent = { ascending: " ↑", descending: " ↓" }[direction] ?? "";
      if (direction) cell.setAttribute("aria-sort", direction);
      else cell.removeAttribute("aria-sort");
    }
  };
  follow(() => ["search", "sort", "rows", ...filters.map(({ key }) => key)].map((name) => state.get(name)), update);
  narrow.addEventListener("change", update);
})();
