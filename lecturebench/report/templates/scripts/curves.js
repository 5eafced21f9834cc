// Learning curves with bands over the seeds, by epoch, step or seconds.
(() => {
  const { data, state, el, format, swatch, chart, isError } = lecturebench;
  const { menu, radios, follow, marks, twins, named, logTicks, timeTick, countTick, rem, frame, axes, tip, walked } =
    lecturebench.explore;
  const home = document.getElementById("explore-curves");
  if (!home || !data.curves.length) return;
  home.hidden = false;

  const MOST = 6; // methods shown unasked
  const curves = data.curves.map(({ row, parts }) => ({ row: data.rows[row], parts }));
  const severalProfiles = new Set(curves.map(({ row }) => row.profile)).size > 1;
  const group = ({ row }) => `${row.benchmark} ${row.dataset} ${row.profile}`;
  const groups = d3.group(curves, group);
  const groupText = ({ row }) => `${row.benchmarkTitle} · ${row.dataset}${severalProfiles ? ` (${row.profile})` : ""}`;
  const splits = { validation: ["validation"], train: ["train"], both: ["validation", "train"] };
  const clocks = { epoch: "epoch", step: "step", seconds: "seconds of fitting" };

  const place = menu("curves", "Benchmark");
  const by = radios("curves-x", "By", [
    ["epoch", "epoch"],
    ["step", "step"],
    ["seconds", "seconds"],
  ]);
  const what = radios("curves-y", "Show", [
    ["error", "error"],
    ["mae", "mean absolute error"],
    ["loss", "loss"],
  ]);
  const on = radios("curves-on", "On", [
    ["validation", "validation"],
    ["train", "train"],
    ["both", "both"],
  ]);
  const methods = el("fieldset", { class: "methods" });

  // A row's curve of a name by a clock: points, or null where it did not record them.
  const line = ({ row, parts }, name, clock) => {
    const part = parts.find((known) => known.curves[name] && known[clock]);
    if (!part) return null;
    const { mean, low = mean, high = mean, n } = part.curves[name];
    return mean.map((value, i) => ({
      row,
      name,
      n,
      x: part[clock][i],
      y: value,
      low: low[i],
      high: high[i],
      several: low !== mean,
    }));
  };
  const has = (group, test) =>
    group.some(({ parts }) => parts.some((part) => Object.keys(part.curves).some((name) => test(name, part))));
  const value = (number, quantity) =>
    isError(quantity) || quantity === "mae" ? format.value(number, quantity) : d3.format(".3~g")(number);

  // The chosen methods by name in the address; without one all, or the best few.
  const keyOf = ({ row }) => `${row.method}@${row.backend}`.replace(/[\s%]/g, encodeURIComponent);
  const unasked = (group) =>
    (group.length <= MOST ? group : d3.sort(group, ({ row }) => row.mean ?? Infinity).slice(0, MOST)).map(keyOf);
  const chosen = (group) => {
    if (!state.get("curves-methods")) return unasked(group);
    const wish = new Set(state.get("curves-methods").split(" "));
    return group.map(keyOf).filter((key) => wish.has(key));
  };
  const choose = (group, keys) => {
    const usual =
      JSON.stringify(group.map(keyOf).filter((key) => unasked(group).includes(key))) === JSON.stringify(keys);
    state.set({ "curves-methods": usual ? null : keys.join(" ") || "none" });
  };

  let drawn = { hollow: new Set(), lines: [], quantity: "error", clock: "epoch", text: "" };
  let places = [];
  const { container, spoken } = walked(() => places);

  const draw = (width) => {
    const { hollow, lines, quantity, clock } = drawn;
    if (!lines.length) return el("p", {}, "No method is chosen that recorded this.");
    const points = lines.flat();
    const [low, high] = [d3.min(points, (point) => point.low), d3.max(points, (point) => point.high)];
    const log = low > 0 && high > 6 * low;
    const most = width / (5 * rem());
    const xs = [
      Math.min(
        0,
        d3.min(points, (point) => point.x),
      ),
      d3.max(points, (point) => point.x) || 1,
    ];
    const round = d3.ticks(...xs, most);
    const whole = round.filter(Number.isInteger);
    const xTicks = clock === "seconds" || whole.length < 3 ? round : whole;
    const ys = log
      ? [low / 1.05, high * 1.05]
      : [
          low < 0 || high > 1.6 * low ? Math.min(0, low) : low - 0.05 * (high - low || high || 1),
          high + 0.05 * (high - low || Math.abs(high) || 1),
        ];
    const made = frame(width, {
      x: { domain: xs },
      y: { type: log ? "log" : "linear", domain: ys },
      marks: [
        axes(
          { ticks: xTicks, format: clock === "seconds" ? timeTick : countTick, label: clocks[clock] },
          {
            ticks: log ? logTicks(...ys, 7) : d3.ticks(...ys, 6),
            format: format.tick(quantity),
            label: quantity === "mae" ? "mean absolute error" : quantity,
          },
        ),
        lines.map((one) =>
          Plot.areaY(one, {
            x: "x",
            y1: "low",
            y2: "high",
            fill: one[0].row.css,
            fillOpacity: lines.length > 3 ? 0.11 : 0.17,
          }),
        ),
        lines.map((one) =>
          Plot.line(one, {
            x: "x",
            y: "y",
            stroke: one[0].row.css,
            strokeWidth: 2,
            strokeDasharray: one[0].name.startsWith("train") ? "2 3" : null,
          }),
        ),
        // Markers, not at the same places for all, so that lines on top of each other show theirs.
        marks(
          lines.flatMap((one, i) => {
            const every = Math.max(1, Math.floor(one.length / 6));
            return one.filter((_, at) => at % every === (i * Math.ceil(every / 3)) % every);
          }),
          "x",
          "y",
          0.26 * rem(),
          hollow,
        ),
        tip(points, "x", "y"),
      ],
    });
    const [sx, sy] = [made.scale("x"), made.scale("y")];
    places = lines.map((one) => one.map((point) => ({ x: sx.apply(point.x), y: sy.apply(point.y), text: point.text })));
    return made;
  };

  const key = el("p", { class: "key" });
  home.append(
    el("div", { class: "controls" }, place.element, what.element, by.element, on.element),
    methods,
    container,
    spoken,
    key,
  );
  const picture = chart(container, draw, () => drawn.text);

  const boxes = (group, names, keys, ends, hollow) => [
    el("legend", { class: "hidden" }, "Methods"),
    ...group.map((item) =>
      el(
        "label",
        { class: "check" },
        el("input", {
          type: "checkbox",
          name: "curves-method",
          value: keyOf(item),
          checked: keys.includes(keyOf(item)),
          onchange: () =>
            choose(
              group,
              [...methods.querySelectorAll("input:checked")].map((box) => box.value),
            ),
        }),
        el(
          "span",
          { class: hollow.has(item.row) ? "hollow" : null },
          swatch(item.row),
          el("bdi", {}, names.get(item.row.id)),
          el("span", { class: "quiet" }, ends.get(item)),
        ),
      ),
    ),
  ];

  const told = () => [
    lecturebench.explore.rows(),
    ...["curves", "curves-x", "curves-y", "curves-on", "curves-methods"].map((name) => state.get(name)),
  ];
  follow(told, () => {
    const visible = new Set(lecturebench.explore.rows());
    const offered = d3.sort([...groups], ([, group]) => !group.some(({ row }) => visible.has(row)));
    place.offer(offered.map(([name, group]) => [name, groupText(group[0])]));
    const group = groups.get(place.value());
    what.offer(["error", "mae", "loss"].filter((quantity) => has(group, (name) => name.endsWith(`_${quantity}`))));
    const quantity = what.value();
    by.offer(
      Object.keys(clocks).filter((clock) => has(group, (name, part) => name.endsWith(`_${quantity}`) && part[clock])),
    );
    const known = ["validation", "train"].filter((split) => has(group, (name) => name === `${split}_${quantity}`));
    on.offer(known.length > 1 ? ["validation", "train", "both"] : known);
    const clock = by.value();
    const keys = chosen(group);

    const names = named(group.map(({ row }) => row));
    const wanted = splits[on.value()];
    const ends = new Map(
      group.map((item) => {
        const own = line(item, `${wanted[0]}_${quantity}`, clock);
        return [item, own ? ` ${value(own.at(-1).y, quantity)}` : " not recorded"];
      }),
    );
    const lines = group
      .filter((item) => keys.includes(keyOf(item)))
      .flatMap((item) => wanted.map((split) => line(item, `${split}_${quantity}`, clock)).filter(Boolean));
    for (const point of lines.flat()) {
      const at = clock === "seconds" ? timeTick(Number(point.x.toPrecision(3))) : `${clock} ${format.count(point.x)}`;
      const range = point.several
        ? ` (${value(point.low, quantity)} to ${value(point.high, quantity)}, ${point.n} runs)`
        : "";
      const fact = `${point.name.replace("_", " ")} ${value(point.y, quantity)}${range}`;
      point.text = `${names.get(point.row.id)}\n${at}: ${fact}`;
    }
    const said = lines.map(
      (one) =>
        `${names.get(one[0].row.id)} ends at a ${one[0].name.replace("_", " ")} of ${value(one.at(-1).y, quantity)}`,
    );
    const hollow = twins(group.map(({ row }) => row));
    drawn = {
      hollow,
      lines,
      quantity,
      clock,
      text: `Learning curves on ${group[0].row.dataset} by ${clocks[clock]}. ${said.join("; ")}.`,
    };
    const focused = document.activeElement?.name === "curves-method" ? document.activeElement.value : null;
    methods.replaceChildren(...boxes(group, names, keys, ends, hollow));
    if (focused) methods.querySelector(`input[value="${CSS.escape(focused)}"]`)?.focus();
    key.textContent = [
      "Beside each method stands where it ends.",
      lines.flat().some((point) => point.several)
        ? "Lines are means over the seeds, bands reach from the smallest to the largest run."
        : "",
      on.value() === "both" ? "Solid: validation; dotted: train." : "",
      group.length > MOST && !state.get("curves-methods")
        ? `The ${MOST} best of ${group.length} methods are shown.`
        : "",
    ]
      .filter(Boolean)
      .join(" ");
    picture.redraw();
  });
})();
