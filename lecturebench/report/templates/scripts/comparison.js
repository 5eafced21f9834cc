// Pairs of methods with their differences, and average ranks across datasets.
(() => {
  const { data, state, el, format, swatch, chart, isError } = lecturebench;
  const places = data.comparisons ?? [];
  const table = document.getElementById("compare-table");
  if (!places.length || !table) return;

  const title = (place) => {
    const own = data.rows[place.rows[0]].benchmarkTitle;
    const unusual = [place.profile === "lecture" ? "" : place.profile, place.backend === "tensorflow" ? "" : place.backend].filter(Boolean);
    return `${own} · ${[place.dataset, ...unusual].join(", ")}`;
  };
  const place = () => places[Number(state.get("pairs", "0"))] ?? places[0];
  const list = el("select", { id: "control-pairs", onchange: () => state.set({ pairs: list.value === "0" ? null : list.value, pair: null }) },
    places.map((one, i) => el("option", { value: i }, title(one))));
  state.follow(() => { list.value = String(places.indexOf(place())); });
  const which = el("select", { id: "control-pair", onchange: () => state.set({ pair: which.value }) });
  state.follow(() => {
    which.replaceChildren(el("option", { value: "" }, "all"), ...place().rows.map((id) => el("option", { value: id }, data.rows[id].title)));
    which.value = state.get("pair");
    if (which.selectedIndex < 0) which.value = "";
  });
  document.getElementById("compare-controls").append(
    el("label", { class: "control" }, el("span", {}, "Benchmark"), list),
    el("label", { class: "control" }, el("span", {}, "With"), which));

  const FEW = 3; // pairs that are told in words unasked
  const gap = (value, metric) => (value === null ? "–" : isError(metric) ? (100 * value).toFixed(2).replace("-", "−") : format.value(value, metric));
  const draw = () => {
    const { pairs, metric } = place();
    const chosen = which.value;
    const shown = pairs.filter((pair) => chosen === "" || String(pair.a) === chosen || String(pair.b) === chosen);
    // One scale for all strips; differences so large that they would squeeze the others run off it.
    const ends = shown.flatMap((pair) => [pair.low ?? pair.difference, pair.high ?? pair.difference].map(Math.abs)).sort((x, y) => x - y);
    const reach = 1.4 * (ends[Math.floor(0.5 * (ends.length - 1))] || 1);
    const at = (value) => Math.max(0, Math.min(100, 25 + (75 * value) / reach));
    const strip = (pair) => el("span", { class: "strip gap", "aria-hidden": "true", style: `--method:${data.rows[pair.a].css}` },
      pair.low === null ? null : el("i", { class: "interval", style: `left:${at(pair.low)}%;width:${at(pair.high) - at(pair.low)}%` }),
      el("i", { class: "published", style: "left:25%" }),
      el("i", { class: pair.difference > reach ? "mean beyond" : "mean", style: `left:${at(pair.difference)}%` }));
    const wins = ([share, low, high]) => (share === null ? "–" : [format.percent(share), low === null ? "" : el("span", { class: "quiet" }, ` ${format.percent(low)} to ${format.percent(high)}`)]);
    const seen = (pair) => (pair.mcnemar.length === 1 ? format.p(pair.mcnemar[0]) : pair.mcnemar.length ? `${pair.mcnemar.filter((p) => p < 0.05).length} of ${pair.mcnemar.length}` : "–");
    const named = (id) => [swatch(data.rows[id]), el("bdi", {}, data.rows[id].title)];
    table.replaceChildren(el("table", { class: "plain pairs-table" },
      el("caption", { class: "hidden" }, `Differences in ${metric}, ${title(place())}`),
      el("thead", {}, el("tr", {}, ["Better", "Worse", `Difference${isError(metric) ? " (points)" : ""}`, "A single run of the better one wins", "McNemar below 5%"].map((text) => el("th", { scope: "col" }, text)))),
      el("tbody", {}, shown.flatMap((pair) => [
        el("tr", { class: "figures-line" },
          el("th", { scope: "row" }, named(pair.a)), el("td", {}, named(pair.b)),
          el("td", {}, strip(pair), el("span", { class: "number" }, gap(pair.difference, metric)),
            pair.low === null ? null : el("span", { class: "quiet" }, ` ${gap(pair.low, metric)} to ${gap(pair.high, metric)}`)),
          el("td", {}, wins(pair.wins)), el("td", {}, seen(pair))),
        el("tr", { class: "words" }, el("td", { colspan: "5" },
          shown.length <= FEW ? pair.words : el("details", { class: "small" }, el("summary", {}, "In words"), pair.words))),
      ]))));
  };
  state.follow(draw);

  // Average ranks: a line with a mark per method, and bars beside those that Nemenyi's test does not tell apart.
  const box = document.getElementById("compare-ranks");
  const sets = (data.ranks ?? []);
  if (!sets.length) {
    box.append(el("p", {}, "Average ranks need the same methods on at least three datasets; here each benchmark ran on one."));
    return;
  }
  for (const set of sets) {
    const heading = data.rows.find((row) => row.benchmark === set.benchmark)?.benchmarkTitle ?? set.benchmark;
    if (!set.ranks) {
      box.append(el("p", {}, `${heading}: ${set.methods.length} methods on ${set.datasets.join(" and ")}. Average ranks need at least three datasets and three methods.`));
      continue;
    }
    const order = set.ranks.map((rank, i) => ({ rank, i })).sort((a, b) => a.rank - b.rank);
    const rowOf = (i) => data.rows.find((row) => row.benchmark === set.benchmark && row.method === set.names[i]);
    const k = set.methods.length;
    const words = `${set.methods[order[0].i]} has the best average rank (${order[0].rank.toFixed(2)}) over ${set.datasets.length} datasets. `
      + (set.friedman < 0.05 ? `Friedman's test sees differences (${format.p(set.friedman)}); a bar on the right joins methods that Nemenyi's test does not tell apart at 5%.`
        : `Friedman's test sees no difference between the methods at 5% (${format.p(set.friedman)}): with so few datasets, ranks may be chance.`);
    const holder = el("div", { class: "chart" });
    box.append(el("h4", {}, heading), el("p", {}, words), el("div", { class: "card narrow" }, holder));
    chart(holder, (width) => {
      // Names beside the marks where there is room, above them where there is not.
      const beside = width >= 540;
      const [top, line] = [30, beside ? 28 : 46];
      const longest = Math.floor((beside ? 0.5 * width : width - 9 * set.bars.length) / 7.2);
      const x = d3.scaleLinear([1, k], [beside ? 0.52 * width : 10, width - 24 - 9 * set.bars.length]);
      const place = new Map(order.map(({ i }, at) => [i, at]));
      const y = (i) => top + line * place.get(i) + (beside ? line / 2 : 34);
      const svg = d3.create("svg").attr("width", width).attr("height", top + line * k + 6).style("color", "var(--ink)").style("font-size", "13px");
      const axis = svg.append("g").attr("transform", `translate(0,${top - 8})`).call(d3.axisTop(x).ticks(k).tickFormat(d3.format("d")).tickSize(-line * k - 8)).attr("font-size", 12).attr("font-family", "inherit");
      axis.selectAll(".domain").remove();
      axis.selectAll("line").attr("stroke", "var(--rule)");
      const text = (at, up, anchor, words, fill = "currentColor") => svg.append("text").attr("x", at).attr("y", up).attr("text-anchor", anchor).attr("fill", fill).text(words);
      for (const { rank, i } of order) {
        const row = rowOf(i);
        const name = set.methods[i];
        text(0, beside ? y(i) + 4 : y(i) - 16, "start", name.length > longest ? `${name.slice(0, longest - 1)}…` : name);
        text(x(rank), y(i) + 6, "middle", row?.glyph ?? "●", row?.css).attr("font-size", 17);
        text(x(rank) + (rank > k - 0.7 ? -13 : 13), y(i) + 4, rank > k - 0.7 ? "end" : "start", rank.toFixed(2), "var(--muted)");
      }
      set.bars.forEach(([low, high], i) => svg.append("line").attr("stroke", "currentColor").attr("stroke-width", 4)
        .attr("x1", width - 4 - 9 * i).attr("x2", width - 4 - 9 * i).attr("y1", y(low) - 9).attr("y2", y(high) + 9));
      return svg.node();
    }, () => order.map(({ rank, i }) => `${set.methods[i]} ${rank.toFixed(2)}`).join(", "));
  }
})();
