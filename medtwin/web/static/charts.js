// Charts: uPlot draws what the server computed. Each has its table behind it in the page.
(() => {
  "use strict";
  const ink = (name) => {
    const probe = document.createElement("span");
    probe.className = "away";
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    const seen = getComputedStyle(probe).color;
    probe.remove();
    return seen;
  };
  const font = () => `12px ${getComputedStyle(document.body).fontFamily}`;
  const say = (zone, opts) => {
    const format = new Intl.DateTimeFormat([], { timeZone: zone, hourCycle: "h23", ...opts });
    return (s) => format.format(new Date(s * 1000));
  };
  const ticks = (zone) => {
    const hour = say(zone, { hour: "2-digit", minute: "2-digit" });
    const day = say(zone, { day: "numeric", month: "short" });
    return (_u, at) => at.map((s, i) => (i && day(s) === day(at[i - 1]) ? hour(s) : `${hour(s)}\n${day(s)}`));
  };
  const axes = (shows, label) => [
    { stroke: ink("soft"), font: font(), grid: { stroke: ink("line"), width: 1 }, ticks: { show: false }, values: ticks(shows.zone), size: 40, space: 64 },
    { stroke: ink("soft"), font: font(), labelFont: font(), grid: { stroke: ink("line"), width: 1 }, ticks: { show: false }, size: 46, label, labelSize: 18 },
  ];
  // Drawn under the data: the range to aim for, and the line between what was and what may be.
  const ground = (shows) => (u) => {
    const { ctx, bbox } = u;
    ctx.save();
    if (shows.range) {
      const [low, high] = shows.range.map((v) => u.valToPos(v, "y", true));
      ctx.fillStyle = ink("range");
      const top = Math.max(high, bbox.top), foot = Math.min(low, bbox.top + bbox.height);
      if (foot > top) ctx.fillRect(bbox.left, top, bbox.width, foot - top);
    }
    ctx.restore();
  };
  const nowline = (shows) => (u) => {
    if (!shows.now) return;
    const { ctx, bbox } = u, x = Math.round(u.valToPos(shows.now, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) return;
    const r = devicePixelRatio;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = ink("critical");
    ctx.lineWidth = 1.5 * r;
    ctx.setLineDash([4 * r, 3 * r]);
    ctx.beginPath(); ctx.moveTo(x, bbox.top); ctx.lineTo(x, bbox.top + bbox.height); ctx.stroke();
    if (!shows.quiet) {
      ctx.font = `600 ${12 * r}px ${getComputedStyle(document.body).fontFamily}`;
      ctx.textAlign = "right";
      ctx.fillText("now", x - 5 * r, bbox.top + 14 * r);
    }
    ctx.restore();
  };
  const common = (box, shows, tall) => ({
    width: Math.max(box.clientWidth, 120), height: tall, legend: { show: false },
    cursor: { sync: { key: shows.sync || "time" }, y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: { x: { time: true, range: () => [shows.from, shows.to] } },
  });
  const reader = (box, shows, line) => {
    const out = box.closest(".chart")?.querySelector("[data-read]");
    const when = say(shows.zone, { hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
    return (u) => { if (out) out.textContent = u.cursor.idx == null ? "" : `${when(u.data[0][u.cursor.idx])}: ${line(u, u.cursor.idx)}`; };
  };
  const fan = (box, shows) => {
    const band = (pair, fill) => ({ series: pair, fill: ink(fill) });
    const digits = shows.digits, unit = shows.unit;
    const read = reader(box, shows, (u, i) => {
      const v = (k) => u.data[k][i]?.toFixed(digits);
      if (u.data[1][i] != null) return `measured ${v(1)} ${unit}`;
      return u.data[8][i] != null ? `forecast ${v(8)} ${unit}, 90 % between ${v(3)} and ${v(2)}` : "";
    });
    return new uPlot({
      ...common(box, shows, 290),
      scales: { x: { time: true, range: () => [shows.from, shows.to] }, y: { range: () => shows.span } },
      axes: axes(shows, unit),
      series: [{}, { stroke: ink("ink"), width: 1.8, points: { show: shows.sparse, size: 4 } },
        ...Array.from({ length: 6 }, () => ({ stroke: "transparent", width: 0, points: { show: false } })),
        { stroke: ink("accent"), width: 2, dash: [6, 4], points: { show: false } }],
      bands: [band([2, 3], "band90"), band([4, 5], "band80"), band([6, 7], "band50")],
      hooks: { drawClear: [ground(shows)], draw: [nowline(shows)], setCursor: [read] },
    }, shows.data, box);
  };
  // Meals and doses as labelled bars; each kind has its own height and side of the moment.
  const stems = (row, colour, scale, side, unit) => (u) => {
    const { ctx, bbox } = u, r = devicePixelRatio, foot = bbox.top + bbox.height;
    let free = -Infinity;
    ctx.save();
    ctx.fillStyle = ink(colour);
    ctx.font = `600 ${11 * r}px ${getComputedStyle(document.body).fontFamily}`;
    ctx.textAlign = "center";
    u.data[0].forEach((at, i) => {
      const value = u.data[row][i];
      if (value == null) return;
      const x = u.valToPos(at, "x", true) + side * 4 * r, y = u.valToPos(value, scale, true);
      if (x < bbox.left || x > bbox.left + bbox.width) return;
      ctx.fillRect(x - 3 * r, y, 6 * r, foot - y);
      const words = `${+value.toFixed(1)} ${unit}`, half = ctx.measureText(words).width / 2;
      const middle = side < 0 ? x - half - 2 * r : x + half - 3 * r;
      if (middle - half < free) return;
      ctx.fillText(words, middle, y - 4 * r);
      free = middle + half + 4 * r;
    });
    ctx.restore();
  };
  const inputs = (box, shows) => {
    const unseen = { paths: () => null, points: { show: false } };
    const upto = (least) => (_u, _low, top) => [0, Math.max(top || 0, least) * 1.35];
    const [time, side] = axes(shows, " ");
    return new uPlot({
      ...common(box, shows, 128),
      scales: { x: { time: true, range: () => [shows.from, shows.to] }, y: { range: upto(40) }, dose: { range: upto(5) } },
      axes: [time, { ...side, values: () => [], grid: { show: false } }],
      series: [{}, unseen, { ...unseen, scale: "dose" }],
      hooks: { draw: [stems(1, "warning", "y", -1, "g"), stems(2, "accent", "dose", 1, "U"), nowline({ ...shows, quiet: true })] },
    }, shows.data, box);
  };
  const paths = (box, shows) => {
    const looks = [["accent", []], ["second", [7, 4]], ["third", [2, 3]], ["ink", [10, 4]]];
    const read = reader(box, shows, (u, i) => shows.plans.map((p, k) => `${p} ${u.data[3 + k][i].toFixed(shows.digits)}`).join(", ") + ` ${shows.unit}`);
    return new uPlot({
      ...common(box, shows, 230),
      scales: { x: { time: true, range: () => [shows.from, shows.to] }, y: { range: () => shows.span } },
      axes: axes(shows, shows.unit),
      series: [{}, { stroke: "transparent", points: { show: false } }, { stroke: "transparent", points: { show: false } },
        ...shows.plans.map((_, i) => (i === shows.plans.length - 1 ? looks[3] : looks[i])).map(([colour, dash]) => ({ stroke: ink(colour), dash, width: 2.2, points: { show: false } }))],
      bands: [{ series: [2, 1], fill: ink("band90") }],
      hooks: { drawClear: [ground(shows)], setCursor: [read] },
    }, shows.data, box);
  };
  const kinds = { fan, inputs, paths };
  const draw = (box) => {
    const shows = JSON.parse(box.dataset.shows);
    box.plot?.destroy();
    box.replaceChildren();
    box.plot = kinds[box.dataset.chart](box, shows);
  };
  const all = (root) => [...(root.matches?.("[data-chart]") ? [root] : []), ...root.querySelectorAll("[data-chart]")];
  const wide = new ResizeObserver((seen) => seen.forEach(({ target, contentRect }) => {
    if (target.plot && Math.abs(target.plot.width - contentRect.width) > 2) target.plot.setSize({ width: contentRect.width, height: target.plot.height });
  }));
  const show = (root) => all(root).forEach((box) => { draw(box); wide.observe(box); });
  const again = () => all(document).forEach(draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  matchMedia("print").addEventListener("change", again);
  htmx.onLoad(show);
})();
