// Error against time and against parameters: every row that the table shows, and which of them no other beats in both.
(() => {
  const { data, state, el, format, chart, aboutMetric } = lecturebench;
  const {
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
  } = lecturebench.explore;
  const home = document.getElementById("explore-scatter");
  const drawable = new Set(
    data.rows.filter((row) => row.metric in data.metrics && aboutMetric(row.metric).better === "lower" && row.mean !== null && row.seconds > 0),
  );
  if (!home || !drawable.size) return;
  home.hidden = false;

  const severalProfiles = new Set([...drawable].map((row) => row.profile)).size > 1;
  const words = {
    time: { axis: "time per fit", cheap: "quick", ours: "time" },
    parameters: { axis: "parameters", cheap: "small", ours: "size" },
  };
  const word = (name) => aboutMetric(name).title;
  // One benchmark at a time: others may have trained on more of the same data.
  const group = (row) => `${row.benchmark} ${row.dataset} ${row.metric} ${row.profile}`;
  const groupText = (row) => `${row.benchmarkTitle}, ${row.dataset}, ${word(row.metric)}${severalProfiles ? `, ${row.profile} profile` : ""}`;
  const shown = menu("scatter", "Data");
  const against = radios("scatter-x", "Against", [
    ["time", "time"],
    ["parameters", "parameters"],
  ]);
  const upTo = radios("scatter-y", "Errors", [
    ["all", "all"],
    ["10", "up to 10 × the best"],
    ["3", "up to 3 ×"],
  ]);

  // The rows of a group with what is drawn of them; x and y are positive or y is not logarithmic.
  const pointsOf = (rows, x) => {
    const kept = rows.filter((row) => (x === "time" ? row.seconds : row.parameters) > 0);
    const names = named(kept);
    return kept.map((row) => {
      const values = row.values.filter((value) => value !== null);
      const times = x === "time" ? row.times.filter((time) => time > 0) : [];
      const claim = row.claims.find((known) => known.kind === "number" && known.metric === row.metric);
      const at = x === "time" ? row.seconds : row.parameters;
      const spread = row.sd === null ? "" : ` ± ${format.value(row.sd, row.metric)} (${row.n} runs)`;
      const facts = [
        `${word(row.metric)} ${format.value(row.mean, row.metric)}${spread}`,
        `${format.seconds(row.seconds)} per fit`,
      ];
      if (row.parameters) facts.push(`${format.count(row.parameters)} parameters`);
      if (claim) facts.push(`published ${claim.printed}`);
      return {
        row,
        name: names.get(row.id),
        x: at,
        y: row.mean,
        published: claim?.published ?? null,
        x1: d3.min(times) ?? at,
        x2: d3.max(times) ?? at,
        y1: d3.min(values),
        y2: d3.max(values),
        text: [names.get(row.id), ...facts].join("\n"),
      };
    });
  };
  // Those that no other row beats in both: cheapest first, each better than all that are cheaper.
  const frontOf = (points) => {
    let best = Infinity;
    return d3
      .sort(
        points,
        (point) => point.x,
        (point) => point.y,
      )
      .filter((point) => point.y < best && ((best = point.y), true));
  };

  // Those whose error is at most so many times the smallest one.
  const best = (points, times) =>
    times === "all" ? points : points.filter((point) => point.y <= times * d3.min(points, ({ y }) => y));

  let drawn = { x: "time", points: [], front: [], metric: "error", text: "" };
  let places = [];
  const { container, spoken } = walked(() => [places]);

  // Names beside their marks, as far as they fit without covering anything; the front's first.
  const labels =
    (points, first) =>
    (index, { x, y }, channels, { width, height, marginLeft, marginBottom }) => {
      const size = 0.78 * rem();
      const canvas = document.createElement("canvas").getContext("2d");
      canvas.font = `${size}px ${getComputedStyle(container).fontFamily}`;
      const longest = width < 30 * rem() ? 22 : 60;
      const around = (px, py, r) => [px - r, py - r, px + r, py + r];
      const taken = points.flatMap((point) => [
        around(x(point.x), y(point.y), 6),
        [x(point.x) - 2, y(point.y2), x(point.x) + 2, y(point.y1)],
        ...(point.published === null ? [] : [around(x(point.x), y(point.published), 6)]),
      ]);
      // The front's steps and the ranges of times: names keep off them where they can.
      const steps = points.map((point) => [x(point.x1), y(point.y) - 1, x(point.x2), y(point.y) + 1]);
      steps.push(
        ...d3.pairs(first).flatMap(([one, next]) => [
          [x(one.x), y(one.y) - 1, x(next.x), y(one.y) + 1],
          [x(next.x) - 1, y(one.y), x(next.x) + 1, y(next.y)],
        ]),
      );
      const free = (box, boxes) =>
        box[0] > marginLeft &&
        box[2] < width &&
        box[1] > 4 &&
        box[3] < height - marginBottom &&
        !boxes.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3]);
      const g = d3
        .create("svg:g")
        .attr("font-size", size)
        .attr("fill", "var(--ink)")
        .attr("aria-hidden", "true")
        .attr("text-anchor", "start")
        .attr("stroke", "var(--ground)")
        .attr("stroke-width", 4)
        .attr("stroke-linejoin", "round")
        .attr("paint-order", "stroke");
      for (const point of [
        ...first,
        ...d3.sort(points, ({ y: error }) => error).filter((other) => !first.includes(other)),
      ]) {
        const name =
          point.name.length > longest ? `${point.name.slice(0, longest - 10)}…${point.name.slice(-9)}` : point.name;
        const [w, h] = [canvas.measureText(name).width, 1.15 * size];
        const [px, py] = [x(point.x), y(point.y)];
        const gap = 10;
        const spots = [
          [px + gap, py - h / 2],
          [px - gap - w, py - h / 2],
          [px + 4, py - gap - h],
          [px + 4, py + gap],
          [px - 4 - w, py - gap - h],
          [px - 4 - w, py + gap],
          [px - w / 2, py - gap - h],
          [px - w / 2, py + gap],
          [px + gap, py - 1.3 * h],
          [px + gap, py + 0.3 * h],
          ...[y(point.y2) - 3 - h, y(point.y1) + 3].map((top) => [
            Math.max(marginLeft + 2, Math.min(width - w - 2, px - w / 2)),
            top,
          ]),
        ];
        const find = (boxes) => spots.find(([left, top]) => free([left, top, left + w, top + h], boxes));
        const spot = find([...taken, ...steps]) ?? find(taken);
        if (!spot) continue;
        taken.push([spot[0], spot[1], spot[0] + w, spot[1] + h]);
        g.append("text")
          .attr("x", spot[0])
          .attr("y", spot[1] + 0.82 * h)
          .text(name);
      }
      return g.node();
    };

  const draw = (width) => {
    const { points, front, metric, x } = drawn;
    if (!points.length) return el("p", {}, "No row that the table shows has both numbers.");
    const seen = points.flatMap((point) => [
      point.y1,
      point.y2,
      ...(point.published === null ? [] : [point.published]),
    ]);
    const log = d3.min(seen) > 0;
    const stretch = (low, high, share = 0.08) => {
      const more = Math.max((high / low) ** share, 1.12);
      return [low / more, high * more];
    };
    const xs = stretch(
      d3.min(points, (point) => point.x1),
      d3.max(points, (point) => point.x2),
    );
    const ys = log ? stretch(d3.min(seen), d3.max(seen)) : [Math.min(0, d3.min(seen)), 1.08 * d3.max(seen) || 1];
    const most = width / (5 * rem());
    const xTicks = x === "time" ? timeTicks(...xs, most) : logTicks(...xs, most);
    const yTicks = log ? logTicks(...ys, 7) : d3.ticks(...ys, 5);
    const hollow = twins(points.map((point) => point.row));
    const made = frame(width, {
      x: { type: "log", domain: xs },
      y: { type: log ? "log" : "linear", domain: ys },
      marks: [
        axes(
          {
            ticks: xTicks,
            format: x === "time" ? timeTick : countTick,
            label: words[x].axis,
          },
          { ticks: yTicks, format: format.tick(metric), label: `test ${word(metric)}` },
        ),
        Plot.line(front, {
          x: "x",
          y: "y",
          curve: "step-after",
          stroke: "var(--muted)",
          strokeWidth: 1.5,
          strokeDasharray: "5 3",
        }),
        Plot.ruleX(points, {
          x: "x",
          y1: "y1",
          y2: "y2",
          stroke: (point) => point.row.css,
          strokeWidth: 2,
          strokeOpacity: 0.55,
        }),
        Plot.ruleY(points, {
          y: "y",
          x1: "x1",
          x2: "x2",
          stroke: (point) => point.row.css,
          strokeWidth: 2,
          strokeOpacity: 0.55,
        }),
        Plot.ruleX(
          points.filter((point) => point.published !== null),
          { x: "x", y1: "y", y2: "published", stroke: "var(--ink)", strokeDasharray: "1 3" },
        ),
        marks(points, "x", "y", 0.36 * rem(), hollow),
        Plot.dot(
          points.filter((point) => point.published !== null),
          {
            x: "x",
            y: "published",
            symbol: "square",
            rotate: 45,
            r: 0.34 * rem(),
            stroke: "var(--ink)",
            strokeWidth: 1.6,
          },
        ),
        labels(points, front),
        tip(points, "x", "y"),
      ],
    });
    const [sx, sy] = [made.scale("x"), made.scale("y")];
    places = d3
      .sort(points, (point) => point.x)
      .map((point) => ({ x: sx.apply(point.x), y: sy.apply(point.y), text: point.text }));
    return made;
  };

  const key = el("p", { class: "key" });
  const efficient = el("p", { class: "key" });
  home.append(
    el("div", { class: "controls" }, shown.element, against.element, upTo.element),
    container,
    spoken,
    key,
    efficient,
  );
  const picture = chart(container, draw, () => drawn.text);

  const told = () => [
    lecturebench.explore.rows(),
    ...["scatter", "scatter-x", "scatter-y"].map((name) => state.get(name)),
  ];
  follow(told, () => {
    const rows = lecturebench.explore.rows().filter((row) => drawable.has(row));
    const groups = d3.sort(
      d3.rollups(rows, (same) => same, group),
      ([, same]) => -same.length,
    );
    shown.offer(groups.map(([value, same]) => [value, groupText(same[0])]));
    const same = groups.find(([value]) => value === shown.value())?.[1] ?? [];
    against.offer(same.some((row) => row.parameters > 0) ? ["time", "parameters"] : ["time"]);
    const x = against.value();
    const known = pointsOf(same, x);
    upTo.offer(
      ["all", "10", "3"].filter(
        (times) => times === "all" || (best(known, times).length > 1 && best(known, times).length < known.length),
      ),
    );
    const points = best(known, upTo.value());
    const front = frontOf(points);
    const cost = (point) => (x === "time" ? format.seconds(point.x) : `${format.count(point.x)} parameters`);
    const facts = front
      .map((point) => `${point.name} (${cost(point)}, ${format.value(point.y, point.row.metric)})`)
      .join("; ");
    const metric = same[0]?.metric ?? "error";
    const where = same.length ? ` on ${groupText(same[0])}` : "";
    const said = `Test ${word(metric)} against ${words[x].axis}, ${points.length} rows${where}.`;
    drawn = { x, points, front, metric, text: `${said} On the efficient front: ${facts}.` };
    const others = ` For every other row, one of these is at least as ${words[x].cheap} and as accurate.`;
    efficient.replaceChildren(
      ...(points.length > 1
        ? [el("strong", {}, "On the efficient front: "), `${facts}.${front.length < points.length ? others : ""}`]
        : []),
    );
    key.textContent = [
      front.length > 1 ? "The dashed line is the efficient front." : "",
      points.some((point) => point.y1 < point.y2)
        ? "Lines through a mark reach from the smallest to the largest run."
        : "",
      points.some((point) => point.published !== null)
        ? `◇ is the published value, at the ${words[x].ours} of our own fit.`
        : "",
      "Pointing at a mark, or the arrow keys, show its numbers.",
      known.length > points.length
        ? `Left out: ${known.length - points.length} of ${known.length}, whose errors are larger.`
        : "",
      same.length > known.length ? `Left out: ${same.length - known.length} without a number of parameters.` : "",
    ]
      .filter(Boolean)
      .join(" ");
    picture.redraw();
  });
})();
