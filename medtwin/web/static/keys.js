// Keys, sliders and the reader's time zone. Everything here is a comfort: pages work without it.
(() => {
  "use strict";
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.includes("zone=")) {
    document.cookie = `zone=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=strict`;
  }
  const typing = (e) => /^(input|select|textarea)$/i.test(e.target.tagName) && e.target.type !== "range";
  const move = (by) => {
    const items = [...document.querySelectorAll("[data-item]:not([hidden])")];
    if (!items.length) return;
    const at = items.findIndex((i) => i.getAttribute("aria-current") === "true");
    const next = items[Math.max(0, Math.min(items.length - 1, at < 0 ? 0 : at + by))];
    items.forEach((i) => i.removeAttribute("aria-current"));
    next.setAttribute("aria-current", "true");
    next.querySelector("a")?.focus();
    next.scrollIntoView({ block: "nearest" });
  };
  const acts = {
    "/": () => document.querySelector("[data-search]")?.focus(),
    j: () => move(1),
    k: () => move(-1),
    a: () => document.querySelector("[data-acknowledge]")?.click(),
    "?": () => document.getElementById("keys")?.showModal(),
  };
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || typing(e) || !acts[e.key]) return;
    e.preventDefault();
    acts[e.key]();
  });
  // A part that is renewed keeps its opened tables open, and the keyboard where it was.
  let open = [], held = -1;
  const folds = (root) => [...root.querySelectorAll("details > summary")];
  document.addEventListener("htmx:beforeSwap", (e) => {
    const all = folds(e.detail.target);
    open = all.map((s) => s.parentElement.open);
    held = all.indexOf(document.activeElement);
  });
  document.addEventListener("htmx:afterSettle", (e) => {
    const all = folds(document.getElementById(e.detail.target?.id) || e.detail.elt);
    all.forEach((s, i) => { if (open[i]) s.parentElement.open = true; });
    if (held >= 0) all[held]?.focus();
    open = []; held = -1;
  });
  document.addEventListener("input", (e) => {
    if (e.target.type !== "range") return;
    const out = document.querySelector(`output[for="${e.target.id}"]`);
    if (out) out.textContent = `${e.target.value} ${out.dataset.unit}`.trim();
  });
})();
