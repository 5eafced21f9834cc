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
        el("tr", { class: "words" }, el("td", { colspan: "5" }, pair.words)),
      ]))));
  };
  state.follow(draw);

  // Average ranks: a line with a mark per method, and bars over those that Nemenyi's test does not tell apart.
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
      + (set.friedman < 0.05 ? `Friedman's test sees differences (${format.p(set.friedman)}); bars join methods that Nemenyi's test does not tell apart at 5%.`
        : `Friedman's test sees no difference between the methods at 5% (${format.p(set.friedman)}): with so few datasets, ranks may be chance.`);
    const holder = el("div", { class: "chart" });
    box.append(el("h4", {}, heading), el("p", {}, words), el("div", { class: "card" }, holder));
    chart(holder, (width) => {
      const x = d3.scaleLinear([1, k], [16, width - 16]);
      const half = Math.ceil(k / 2);
      const top = 34 + 9 * set.bars.length;
      const svg = d3.create("svg").attr("width", width).attr("height", top + 24 * half + 8).style("color", "var(--ink)").style("font", "13px inherit");
      svg.append("g").attr("transform", "translate(0,22)").call(d3.axisTop(x).ticks(k).tickFormat(d3.format("d")));
      set.bars.forEach(([low, high], i) => svg.append("line").attr("x1", x(set.ranks[low]) - 3).attr("x2", x(set.ranks[high]) + 3)
        .attr("y1", 31 + 9 * i).attr("y2", 31 + 9 * i).attr("stroke", "currentColor").attr("stroke-width", 4));
      order.forEach(({ rank, i }, place) => {
        const left = place < half;
        const y = top + 14 + 24 * (left ? place : k - 1 - place);
        const row = rowOf(i);
        svg.append("path").attr("fill", "none").attr("stroke", "var(--muted)").attr("d", `M${x(rank)},22V${y - 4}H${left ? 0 : width}`);
        svg.append("text").attr("x", left ? 0 : width).attr("y", y - 8).attr("text-anchor", left ? "start" : "end").attr("fill", "currentColor")
          .text(`${row?.glyph ?? ""} ${set.methods[i]} ${rank.toFixed(2)}`);
      });
      return svg.node();
    }, () => order.map(({ rank, i }) => `${set.methods[i]} ${rank.toFixed(2)}`).join(", "));
  }
})();
