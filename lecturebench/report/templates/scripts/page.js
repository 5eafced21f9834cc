// The theme, links to evidence, and printing.
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");

  // Storage is refused in some browsers for pages opened from a folder; the choice then lasts as long as the page.
  const memory = {
    get() { try { return localStorage.getItem("lecturebench-theme"); } catch { return null; } },
    set(theme) { try { localStorage.setItem("lecturebench-theme", theme); } catch { /* not kept */ } },
  };
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const label = () => { button.textContent = dark() ? "Light theme" : "Dark theme"; };
  const kept = memory.get();
  if (kept === "dark" || kept === "light") root.dataset.theme = kept;
  button.hidden = false;
  label();
  system.addEventListener("change", label);
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    memory.set(root.dataset.theme);
    label();
  });

  // A link to a claim opens its evidence, whether it is clicked or comes with the address.
  let shown = "";
  lecturebench.state.follow(() => {
    const anchor = lecturebench.state.anchor();
    const target = document.getElementById(anchor);
    if (anchor === shown || !target) return;
    shown = anchor;
    for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    target.querySelector(":scope > summary")?.focus({ preventScroll: true });
    target.scrollIntoView();
    // Charts above it are drawn in the next frame and push it down.
    requestAnimationFrame(() => requestAnimationFrame(() => { if (shown === anchor) target.scrollIntoView(); }));
  });
  addEventListener("click", (event) => { if (event.target.closest?.("a[href^='#']")) shown = ""; }, { capture: true });

  // Where a drawing is wider than its place, it can be scrolled by keyboard too; on a telephone all are, also those whose
  // place the browser has not laid out yet.
  const narrow = matchMedia("(max-width: 46rem)");
  const reach = (drawing) => {
    if (narrow.matches || drawing.scrollWidth > drawing.clientWidth) drawing.tabIndex = 0;
    else drawing.removeAttribute("tabindex");
  };
  const placed = new ResizeObserver((entries) => entries.forEach(({ target }) => reach(target)));
  const drawings = document.querySelectorAll(".drawing");
  drawings.forEach((drawing) => {
    if (narrow.matches) reach(drawing); // to ask a width would lay out all that is not in view
    placed.observe(drawing);
  });
  narrow.addEventListener("change", () => drawings.forEach(reach));

  // What is open is printed; everything, for those who want the evidence on paper or search the page for a word.
  const all = document.getElementById("open-all");
  if (all) all.hidden = false;
  all?.addEventListener("click", () => {
    const open = all.getAttribute("aria-pressed") !== "true";
    document.querySelectorAll("main details").forEach((item) => { item.open = open; });
    all.setAttribute("aria-pressed", String(open));
  });
})();
