// What the parts of Explore share: choices whose options change, markers, ticks, and charts for the keyboard.
lecturebench.explore = (() => {
  const { state, el, plot } = lecturebench;

  // A list of options; offer([[value, text], …]) replaces them. Where the address names none of them, the first holds.
  const menu = (name, label) => {
    let offered = [];
    const list = el("select", {
      id: `control-${name}`,
      onchange: () => state.set({ [name]: list.value === offered[0][0] ? null : list.value }),
    });
    const value = () => (offered.find(([known]) => known === state.get(name)) ?? offered[0])?.[0];
    return {
      element: el("label", { class: "control" }, el("span", {}, label), list),
      value,
      offer(options) {
        if (JSON.stringify(options) !== JSON.stringify(offered)) {
          offered = options;
          list.replaceChildren(...options.map(([known, text]) => el("option", { value: known }, text)));
        }
        list.value = value();
      },
    };
  };

  // The same for few options: radio buttons, of which offer([value, …]) shows some.
  const radios = (name, label, options) => {
    let offered = options.map(([value]) => value);
    const value = () => (offered.includes(state.get(name)) ? state.get(name) : offered[0]);
    const buttons = options.map(([own, text]) => {
      const input = el("input", {
        type: "radio",
        name: `control-${name}`,
        value: own,
        onchange: () => state.set({ [name]: own === offered[0] ? null : own }),
      });
      return { own, input, label: el("label", {}, input, el("span", {}, text)) };
    });
    const element = el(
      "fieldset",
      { class: "control radios" },
      el("legend", {}, label),
      el(
        "div",
        {},
        buttons.map((button) => button.label),
      ),
    );
    return {
      element,
      value,
      offer(values) {
        offered = options.map(([own]) => own).filter((own) => values.includes(own));
        element.hidden = offered.length < 2;
        for (const button of buttons) {
          button.label.hidden = !offered.includes(button.own);
          button.input.checked = button.own === value();
        }
      },
    };
  };

  // Acts now, and again whenever one of the told() values is another.
  const follow = (told, act) => {
    let last = null;
    state.follow(() => {
      const now = told();
      if (last !== null && now.every((value, i) => value === last[i])) return;
      last = now;
      act();
    });
  };

  // matplotlib's markers as D3 draws them: name, rotation, and a factor that makes them look equally large.
  const SYMBOLS = {
    o: ["circle", 0, 1],
    s: ["square", 0, 1],
    D: ["square", 45, 0.95],
    "^": ["triangle", 0, 1],
    v: ["triangle", 180, 1],
    P: ["cross", 0, 1],
    X: ["cross", 45, 1],
    "*": ["star", 0, 1.1],
  };
  // Points { row, … } marked as their methods are. Rows of one method look the same: all but the first are hollow.
  const marks = (points, x, y, size, hollow) => {
    const look = ({ row }) => SYMBOLS[row.marker] ?? SYMBOLS.o;
    return [false, true].map((empty) => {
      const own = points.filter(({ row }) => hollow.has(row) === empty);
      return Plot.dot(own, {
        x,
        y,
        symbol: (point) => look(point)[0],
        rotate: (point) => look(point)[1],
        r: { value: (point) => size * look(point)[2], scale: null },
        fill: empty ? "var(--ground)" : ({ row }) => row.css,
        stroke: empty ? ({ row }) => row.css : "var(--ground)",
        strokeWidth: empty ? 2 : 1,
      });
    });
  };
  const twins = (rows) =>
    new Set([...d3.group(rows, (row) => row.css + row.marker).values()].flatMap((same) => same.slice(1)));

  // Rows as they are told apart in one chart: the title, and where titles are equal what else differs.
  const named = (rows) => {
    const names = new Map(rows.map((row) => [row.id, row.title]));
    for (const same of d3.group(rows, (row) => row.title).values()) {
      const differ = ["backend", "device", "benchmark", "profile"].filter(
        (field) => new Set(same.map((row) => row[field])).size > 1,
      );
      if (same.length > 1)
        for (const row of same)
          names.set(row.id, `${row.title} (${differ.map((field) => row[field]).join(", ") || row.method})`);
    }
    return names;
  };

  // At most `most` round numbers of a logarithmic axis.
  const logTicks = (low, high, most) => {
    const powers = d3.range(Math.floor(Math.log10(low)), Math.ceil(Math.log10(high)) + 1);
    for (const steps of [d3.range(1, 10), [1, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]]) {
      const ticks = powers
        .flatMap((power) => steps.map((step) => Number(`${step}e${power}`)))
        .filter((tick) => low <= tick && tick <= high);
      if (ticks.length < 3) break;
      if (ticks.length <= most) return ticks;
    }
    const decades = powers.map((power) => Number(`1e${power}`)).filter((tick) => low <= tick && tick <= high);
    if (decades.length > most) return decades.filter((_, i) => i % Math.ceil(decades.length / most) === 0);
    return d3.ticks(low, high, Math.min(most, 5)).filter((tick) => tick > 0);
  };
  // The same for durations, which people count in minutes and hours from a minute on.
  const TIMES = [
    ...d3.range(-9, 1).map((power) => Number(`1e${power}`)),
    3,
    10,
    30,
    60,
    180,
    600,
    1800,
    3600,
    10800,
    36000,
    86400,
    259200,
  ];
  const timeTicks = (low, high, most) => {
    const ticks = TIMES.filter((tick) => low <= tick && tick <= high);
    if (ticks.length < 3) return logTicks(low, high, most);
    const rare = Math.ceil(ticks.length / most);
    return ticks.filter((_, i) => i % rare === 0);
  };
  const timeTick = (seconds) => {
    if (seconds < 60) return `${d3.format("~g")(seconds)} s`;
    const [unit, name] = seconds < 3600 ? [60, "min"] : [3600, "h"];
    return `${Number((seconds / unit).toPrecision(3))} ${name}`;
  };

  // Numbers that are counted: 0.5, 250, 7.85k.
  const countTick = (value) => d3.format(value < 1000 ? "~g" : "~s")(value);

  const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);
  // A chart whose letters grow with the page's.
  const frame = (width, options) =>
    plot(width, {
      height: Math.round(Math.max(17 * rem(), Math.min(28 * rem(), width * 0.56))),
      marginLeft: 3.6 * rem(),
      marginRight: 1.2 * rem(),
      marginTop: 2 * rem(),
      marginBottom: 2.8 * rem(),
      ...options,
      style: {
        background: "none",
        color: "var(--ink)",
        fontFamily: "inherit",
        fontSize: "0.8125rem",
        overflow: "visible",
      },
    });
  const AXIS = { label: null, tickSize: 0, tickPadding: 8, color: "var(--muted)", fontSize: "0.8125rem" };
  const GRID = { stroke: "var(--rule)", strokeOpacity: 1 };
  // Grid, ticks and the name of an axis; x below, y on top of its axis.
  const axes = (x, y) => [
    Plot.gridX({ ticks: x.ticks, ...GRID }),
    Plot.gridY({ ticks: y.ticks, ...GRID }),
    Plot.axisX({
      ...AXIS,
      ticks: x.ticks,
      text: x.format,
      label: x.label,
      labelAnchor: "right",
      labelArrow: "right",
      labelOffset: 2.5 * rem(),
    }),
    Plot.axisY({
      ...AXIS,
      ticks: y.ticks,
      text: y.format,
      label: y.label,
      labelAnchor: "top",
      labelArrow: y.arrow ?? "up",
      labelOffset: 3.5 * rem(),
    }),
  ];
  const tip = (points, x, y) => {
    const made = Plot.tip(
      points,
      Plot.pointer({
        x,
        y,
        title: "text",
        fill: "var(--paper)",
        stroke: "var(--muted)",
        strokeOpacity: 0.6,
        fontSize: 0.8125 * rem(),
        lineHeight: 1.35,
        textPadding: 10,
        maxRadius: 60,
        pathFilter: "none",
        lineWidth: 30,
      }),
    );
    made.ariaLabel = null; // a part of an image has no name of its own
    return made;
  };

  // Makes a chart a stop of the keyboard: arrows step through its points as a pointer would, so that the tip shows, and
  // its text is read aloud. series(): lists of { x, y, text } in the chart's own coordinates.
  const walked = (series) => {
    const spoken = el("p", { class: "hidden", role: "status" });
    let at = null;
    const send = (type, point) => {
      const svg = container.querySelector("svg");
      if (!svg) return;
      const where = new DOMPoint(point?.x ?? -1e4, point?.y ?? -1e4).matrixTransform(svg.getScreenCTM());
      svg.dispatchEvent(new PointerEvent(type, { clientX: where.x, clientY: where.y, pointerType: "mouse" }));
    };
    const leave = () => {
      at = null;
      send("pointerleave");
    };
    const container = el("div", {
      class: "chart",
      tabindex: 0,
      role: "group",
      "aria-label": "Chart. Arrow keys step through its points.",
      onblur: leave,
      onkeydown(event) {
        const lists = series().filter((list) => list.length);
        const step = {
          ArrowRight: [0, 1],
          ArrowLeft: [0, -1],
          ArrowDown: [1, 0],
          ArrowUp: [-1, 0],
          Home: [0, -Infinity],
          End: [0, Infinity],
        }[event.key];
        if (event.key === "Escape") return leave();
        if (!step || !lists.length || event.ctrlKey || event.metaKey || event.altKey) return undefined;
        event.preventDefault();
        const within = (i, n) => Math.max(0, Math.min(n - 1, i));
        const first = at === null;
        const i = first ? 0 : (at[0] + step[0] + lists.length) % lists.length;
        at = [i, within(first ? 0 : at[1] + step[1], lists[i].length)];
        const point = lists[at[0]][at[1]];
        send("pointermove", point);
        spoken.textContent = point.text;
        return undefined;
      },
    });
    return { container, spoken };
  };

  return {
    menu,
    radios,
    follow,
    marks,
    twins,
    named,
    logTicks,
    timeTicks,
    timeTick,
    countTick,
    rem,
    frame,
    axes,
    tip,
    walked,
  };
})();
