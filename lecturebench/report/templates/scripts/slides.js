// The slides: ← and → walk, P projects them, and there runs drop in one by one until the interval forms.
(() => {
  const stage = document.getElementById("slides");
  if (!stage) return;
  const { state, el } = lecturebench;
  const faces = [...stage.querySelectorAll(".face")];
  const links = [...stage.querySelectorAll(".index a")];
  const presenting = () => stage.classList.contains("presenting");
  const named = () => faces.findIndex((face) => face.id === state.anchor());
  // The slide that is projected, or the one that is being read: the last whose upper edge has come up.
  // A jump leaves its edge so far down, which in a low window is more than a part of it.
  const landing = () => parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop)
    + parseFloat(getComputedStyle(faces[0]).scrollMarginTop) + 4;
  const inView = () => {
    const edge = Math.max(0.15 * innerHeight, landing());
    return faces.findLastIndex((face) => face.getBoundingClientRect().top < edge);
  };
  const at = () => (presenting() ? named() : inView());

  const button = el("button", { type: "button", onclick: () => (presenting() ? leave() : present()) }, "Project");
  const next = el("button", { type: "button", onclick: () => drop() }, "Next run");
  const asking = el("button", { type: "button", "aria-pressed": "false", onclick: () => ask() }, "Guess first");
  const help = el("span", { class: "quiet" });
  stage.querySelector(".stage-bar").prepend(el("div", { class: "stage-keys" }, button, next, asking, help));

  // How many runs of each strip are seen while a slide is projected; all of them from the longest on.
  let seen = 0;
  const longest = (face) => Math.max(1, ...[...face.querySelectorAll(".strip")].map((strip) => strip.querySelectorAll(":scope > .run").length));
  const show = (face) => {
    const all = seen >= longest(face);
    for (const strip of face.querySelectorAll(".strip")) {
      strip.querySelectorAll(":scope > .run").forEach((run, i) => run.classList.toggle("waiting", i >= seen));
    }
    for (const mark of face.querySelectorAll(".mark")) mark.classList.toggle("waiting", !all);
    face.classList.toggle("waiting", !all);
    for (const said of face.querySelectorAll("tr.said")) said.classList.toggle("waiting", !all);
    next.disabled = all;
    const n = longest(face);
    help.textContent = all ? `Slide ${at() + 1} of ${faces.length}; → for the next` : `${seen} of ${n} runs; Space drops the next`;
  };
  const drop = () => {
    const face = faces[at()];
    if (!face || !presenting()) return;
    seen = Math.min(seen + 1, longest(face));
    show(face);
  };

  const go = (i) => {
    const to = faces[Math.max(0, Math.min(faces.length - 1, i))];
    seen = 0;
    state.set({}, to.id, { keep: true });
    if (!presenting()) { to.scrollIntoView(); to.focus({ preventScroll: true }); }
  };
  const present = () => {
    seen = 0;
    state.set({ project: "1" }, faces[Math.max(0, at())].id);
    stage.requestFullscreen?.().catch(() => { /* a browser that refuses shows it in its window */ });
  };
  const leave = () => {
    const to = faces[Math.max(0, named())]; // before the projection ends, since then the slide in view is asked for
    // The browser moves the page once more when full screen has ended.
    if (document.fullscreenElement) {
      document.addEventListener("fullscreenchange", () => requestAnimationFrame(() => to.scrollIntoView()), { once: true });
    }
    state.set({ project: null });
    to.scrollIntoView();
  };
  document.addEventListener("fullscreenchange", () => {
    if (!document.fullscreenElement && presenting()) leave();
  });

  // The index follows what is read.
  const mark = (i) => links.forEach((link, k) => {
    if ((k === i) === link.hasAttribute("aria-current")) return;
    if (k !== i) { link.removeAttribute("aria-current"); return; }
    link.setAttribute("aria-current", "true");
    // Into the middle of the index, which lies at the side or, on a phone, above; the page itself stays where it is.
    const [bar, list] = [stage.querySelector(".stage-bar"), link.closest("ol")];
    bar.scrollTop = link.offsetTop - bar.clientHeight / 2;
    list.scrollLeft = link.offsetLeft - list.clientWidth / 2;
  });
  let waiting = false;
  addEventListener("scroll", () => {
    if (waiting || presenting()) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; mark(inView()); });
  }, { passive: true });

  let last = -1;
  state.follow(() => {
    const i = named();
    const on = i >= 0 && state.get("project") === "1";
    const begun = on && !presenting();
    // However it ends: by a key, by Back, or by a link that leads out of the slides.
    if (!on && presenting() && document.fullscreenElement) document.exitFullscreen().catch(() => {});
    stage.classList.toggle("presenting", on);
    document.body.style.overflow = on ? "hidden" : "";
    faces.forEach((face, k) => face.classList.toggle("current", k === i));
    mark(i < 0 ? inView() : i);
    button.textContent = on ? "Back to the page" : "Project";
    next.hidden = asking.hidden = !on;
    help.textContent = "← → slides, P to project";
    if (on) {
      if (begun || i !== last) seen = 0;
      show(faces[i]);
      stage.scrollTo(0, 0);
    }
    last = i;
  });

  // Keys that somebody types into a field, or scrolls a wide table with, are not ours.
  addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest?.("input:not([type=range]), select, textarea, .scroll")) return;
    if (event.target.matches?.("input") && /^(Arrow|Page|Home|End)/.test(event.key)) return; // a slider's own
    const onPage = event.target === document.body || stage.contains(event.target);
    const here = presenting() || (onPage && stage.getBoundingClientRect().bottom > 0);
    if (!here || event.defaultPrevented) return;
    const steps = { ArrowRight: 1, PageDown: presenting() ? 1 : 0, ArrowLeft: -1, PageUp: presenting() ? -1 : 0 }[event.key];
    if (steps) go(at() < 0 ? 0 : at() + steps);
    else if (event.key === "p" || event.key === "P") (presenting() ? leave : present)();
    else if ((event.key === "g" || event.key === "G") && presenting()) ask();
    else if (event.key === "Escape" && presenting()) leave();
    else if (presenting() && (event.key === " " || event.key === "ArrowDown" || event.key === "Enter")) {
      if (event.target.closest?.("a, button, summary")) return;
      drop();
    } else return;
    event.preventDefault();
  });
  stage.querySelector(".faces").addEventListener("click", (event) => {
    if (presenting() && !event.target.closest("a, button, input, details, .guess-order, .guess-line")) drop();
  });
  // What if: a slider over the values that were fitted moves a second row of runs along the strip of its claim.
  for (const box of stage.querySelectorAll(".what-if")) {
    const rows = [...box.querySelectorAll(":scope tbody tr")];
    const strip = (box.closest("li") ?? box.closest("tr").previousElementSibling).querySelector(".strip");
    const place = el("span", { class: "other", "aria-hidden": "true" });
    const out = el("output", { class: "what-if-said" });
    const slider = el("input", {
      type: "range", min: 0, max: rows.length - 1, step: 1, value: 0,
      "aria-label": box.querySelector(":scope thead th").textContent, oninput: () => move(),
    });
    const move = () => {
      const row = rows[Number(slider.value)];
      const { value, at, runs = "" } = row.dataset;
      slider.setAttribute("aria-valuetext", value);
      out.textContent = `${value}: ${row.lastElementChild.textContent}`;
      place.replaceChildren(...(at ? [...runs.split(" ").map((x) => ["run", x]), ["mean", at]] : [])
        .map(([kind, x]) => el("i", { class: kind, style: `left:${Math.max(-2, Math.min(102, Number(x)))}%` })));
    };
    box.querySelector("table").before(el("div", { class: "what-if-slider" }, slider, out));
    box.addEventListener("toggle", () => {
      if (box.open) { strip?.append(place); move(); } else place.remove();
    });
  }

  // Guess first: before the runs drop the class says where our mean will be. The page remembers it, and nobody else.
  const memory = {
    get() { try { return JSON.parse(localStorage.getItem("lecturebench-guesses")) ?? {}; } catch { return {}; } },
    set(all) { try { localStorage.setItem("lecturebench-guesses", JSON.stringify(all)); } catch { /* as long as the page */ } },
  };
  const guesses = memory.get();
  // Of three methods or more it is an order, which the class arranges, in the beginning by their names.
  const arrange = (mark, name, measured) => {
    const given = Array.isArray(guesses[name]) && measured.every((title) => guesses[name].includes(title));
    let order = given ? guesses[name] : [...measured].sort();
    const way = `from the lowest ${mark.dataset.metric.replaceAll("_", " ")} to the highest`;
    const list = el("ol", { class: "guess-order", "aria-label": `Guess: ${way}` });
    const [about, said] = [el("p", { class: "guess-order quiet", "aria-hidden": "true" }, way), el("p", { class: "guess-said quiet" })];
    const draw = (guessed) => {
      list.replaceChildren(...order.map((title, i) => el("li", {},
        el("button", { type: "button", "aria-disabled": i === 0 ? "true" : null, "aria-label": `Move ${title} up`, onclick: () => up(i) }, "↑"),
        el("bdi", {}, title))));
      said.textContent = guessed ? `Guessed: ${order.join(" < ")}. Measured: ${measured.join(" < ")}.` : "";
    };
    const up = (i) => {
      if (i === 0) return; // it keeps the focus, so that one Enter too many drops no run
      order = order.toSpliced(i - 1, 2, order[i], order[i - 1]);
      guesses[name] = order;
      memory.set(guesses);
      draw(true);
      list.children[i - 1].querySelector("button").focus();
    };
    draw(given);
    mark.querySelector(".shown").append(about, list);
    mark.querySelector(".said").before(said);
  };
  for (const mark of stage.querySelectorAll(".mark")) {
    const strip = mark.querySelector(".strip");
    if (!strip) continue;
    const what = mark.dataset.claim ?? mark.querySelector("th").textContent.trim();
    const name = `${mark.closest(".face").querySelector("h2").textContent}: ${what}`;
    if (mark.dataset.order) {
      arrange(mark, name, JSON.parse(mark.dataset.order));
      continue;
    }
    const [middle, reach] = [Number(strip.dataset.middle), Number(strip.dataset.reach)];
    const words = (value) => (mark.dataset.metric === "ratio"
      ? `${Math.exp(value).toPrecision(3)} times` : lecturebench.format.value(value, mark.dataset.metric));
    const dot = el("i", { class: "guess" });
    const said = el("output");
    const guess = (value) => {
      const place = 50 + (50 * (value - middle)) / reach;
      slider.value = place;
      slider.setAttribute("aria-valuetext", words(value));
      said.textContent = words(value);
      dot.style.left = `${Math.max(0, Math.min(100, place))}%`;
      strip.append(dot);
    };
    const slider = el("input", { type: "range", min: 0, max: 100, step: 0.5, value: 50, "aria-label": `Guess: ${what}` });
    slider.addEventListener("input", () => {
      guesses[name] = middle + ((Number(slider.value) - 50) / 50) * reach;
      memory.set(guesses);
      guess(guesses[name]);
    });
    strip.after(el("span", { class: "guess-line" }, slider, said));
    if (Number.isFinite(guesses[name])) guess(guesses[name]);
  }
  const ask = () => {
    const on = stage.classList.toggle("guessing");
    asking.setAttribute("aria-pressed", String(on));
  };
})();
