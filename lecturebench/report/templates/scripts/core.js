// What every part of the page shares: its data, its state in the address, elements, numbers as text, and charts.
const lecturebench = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);

  // The address says what is shown: "#explore?dataset=mnist&sort=error". Before the "?" an anchor, after it the state.
  const read = () => {
    const [anchor, query = ""] = location.hash.slice(1).split("?");
    let name = anchor;
    try { name = decodeURIComponent(anchor); } catch { /* a "%" that stands for itself */ }
    return { anchor: name, values: new URLSearchParams(query) };
  };
  const listeners = [];
  const state = {
    get: (name, fallback = "") => read().values.get(name) ?? fallback,
    // Changes the address and tells everybody; null forgets a name. A step of the history, which Back undoes, is what
    // somebody chose; keep: none, as for a letter typed or a slide walked past.
    set(changes, anchor, { keep = false } = {}) {
      const now = read();
      for (const [name, value] of Object.entries(changes)) {
        if (value === null || value === "") now.values.delete(name);
        else now.values.set(name, value);
      }
      const query = now.values.toString();
      const address = `#${encodeURIComponent(anchor ?? now.anchor)}${query ? `?${query}` : ""}`;
      if (address !== (location.hash || "#")) history[keep ? "replaceState" : "pushState"](null, "", address);
      listeners.forEach((listen) => listen());
    },
    // Called now and whenever the address changes.
    follow(listen) { listeners.push(listen); listen(); },
    anchor: () => read().anchor,
  };
  addEventListener("hashchange", () => listeners.forEach((listen) => listen()));

  // el("a", { href: "#x", class: "y", onclick: f }, "text", child): text is never taken for markup.
  const el = (tag, properties = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
    }
    made.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return made;
  };

  // What is known of a metric, by its last word ("validation error"); of a measured number nothing.
  const aboutMetric = (name) => data.metrics?.[name.split(" ").at(-1)] ?? { percent: false, digits: null, better: "lower", title: name };
  const isError = (name) => aboutMetric(name).percent;
  const format = {
    // A value of a metric as people write it: 2.31%, 254.7, 1.2e-16; "–" for none.
    value(value, name) {
      if (value === null || value === undefined) return "–";
      const { percent, digits } = aboutMetric(name);
      if (percent) return `${(100 * value).toFixed(digits ?? 2)}%`;
      const whole = digits !== null && (Math.abs(value) >= 1 || value === 0);
      return whole ? value.toFixed(digits) : Number(value.toPrecision(3)).toString();
    },
    // A tick of an axis of that metric.
    tick: (name) => (value) => (isError(name) ? `${Number((100 * value).toPrecision(6))}%` : d3.format("~g")(value)),
    seconds(value) {
      if (value === null || value === undefined) return "–";
      if (value < 9.95) return value < 5e-4 ? "0.0 s" : `${value.toPrecision(2)} s`;
      if (value < 59.5) return `${Math.round(value)} s`;
      const minutes = Math.floor(Math.round(value) / 60);
      const rest = String(Math.round(value) % 60).padStart(2, "0");
      return minutes < 60 ? `${minutes} min ${rest} s` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
    },
    count: d3.format(","),
    // The p of a test; of smaller ones than 0.0001 no more is to be said.
    p: (value) => (value < 1e-4 ? "p < 0.0001" : `p = ${Number(value.toPrecision(2))}`),
    percent: d3.format(".0%"),
  };

  // A method's marker and name, coloured as everywhere.
  const swatch = (row) => el("span", { class: "swatch", style: `color:${row.css}`, "aria-hidden": "true" }, row.glyph);

  // Draws into a container now, when it comes into view first, changes its width, or redraw() is called.
  // draw(width) returns an element or null; label says in words what the chart shows.
  const charts = new Map();
  const resized = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const chart = charts.get(target);
      const width = Math.floor(target.clientWidth);
      if (chart && width && width !== chart.width) { chart.width = width; chart.redraw(); }
    }
  });
  const chart = (container, draw, label = () => "") => {
    const own = {
      width: 0,
      redraw() {
        if (!own.width) return;
        const drawn = draw(own.width);
        container.replaceChildren(...(drawn ? [drawn] : []));
        const svg = container.querySelector("svg");
        if (svg) {
          // One picture to a screen reader; Plot's own names of its parts mean nothing inside it.
          svg.querySelectorAll("g[aria-label]:not([aria-label='tip'])").forEach((part) => part.removeAttribute("aria-label"));
          svg.setAttribute("role", "img");
          svg.setAttribute("aria-label", label());
        }
      },
    };
    charts.set(container, own);
    resized.observe(container);
    return own;
  };
  // What all charts have in common; marks and scales are the caller's.
  const plot = (width, options) => Plot.plot({
    width,
    height: Math.max(260, Math.min(460, width * 0.62)),
    marginLeft: 56,
    style: { background: "none", color: "var(--ink)", fontFamily: "inherit", fontSize: "13px", overflow: "visible" },
    ...options,
  });

  // Labelled controls; options are [value, text]. The address keeps what is chosen.
  const select = (name, label, options, fallback = options[0]?.[0] ?? "") => {
    const list = el("select", { id: `control-${name}`, onchange: () => state.set({ [name]: list.value === fallback ? null : list.value }) },
      options.map(([value, text]) => el("option", { value }, text)));
    state.follow(() => { list.value = state.get(name, fallback); if (list.selectedIndex < 0) list.value = fallback; });
    return el("label", { class: "control" }, el("span", {}, label), list);
  };

  return { data, state, el, format, swatch, chart, plot, select, isError, aboutMetric };
})();
