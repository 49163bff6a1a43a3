// A chart whose axes are not time: values against values, or cells against cells. uPlot keeps axes and cursor; what is
// inside is drawn by its part with the same pen as the charts over time.

/** What a metric or a goal reads as. */
function shown(unit, value) {
  if (value === null || Number.isNaN(value)) return "–";
  if (unit === "percent") return percent(value);
  if (unit === "money") return money(value);
  if (unit === "count") return number(value, 0);
  return Math.abs(value) < 1e4 && Math.abs(value) >= 0.01 ? number(value, Math.abs(value) < 1 ? 3 : 2) : figure(value);
}

/** How an axis writes its values. */
function axisOf(unit) {
  return unit === "percent" ? axisPercent : axisNumber;
}

class Plane {
  /**
   * @param {HTMLElement} host where it goes
   * @param {object} part name, height, x and y ({low, high} and labels of cells, or axis (value to text)), draw(pen),
   *   at(x, y, pen): what is nearest as {x, y, title, rows}, or null; stops(): how far arrow keys go on each axis
   */
  constructor(host, part) {
    this.part = part;
    this.host = host.appendChild(element("figure", "plane " + (part.kind ?? "")));
    this.frame = this.host.appendChild(element("div", "plot"));
    this.frame.tabIndex = 0;
    this.frame.setAttribute("role", "group");
    this.frame.setAttribute("aria-label", say("plane.keys", { name: part.name }));
    this.frame.addEventListener("keydown", (event) => this.key(event));
    this.legend = this.host.appendChild(element("figcaption"));
    this.said = this.host.appendChild(element("output", "said hidden-text"));
    this.view = { refresh: () => this.update() }; // as a chart's: the theme asks for it
    this.plot = new uPlot(this.options(), [[0, 1], [0, 1]], this.frame);
    this.tip = this.plot.over.appendChild(element("div", "tip"));
    this.tip.hidden = true;
    this.plot.over.addEventListener("mouseleave", () => this.tell(null));
    this.caption();
    new ResizeObserver(() => this.resize()).observe(this.frame);
    charts.add(this);
  }

  get height() {
    return innerWidth < 640 ? Math.round(this.part.height * 0.8) : this.part.height;
  }

  options() {
    const grid = { show: !this.part.cells, stroke: () => theme.color("grid"), width: 1 };
    const ink = () => theme.color("muted");
    const range = (side) => () => [this.part[side].low, this.part[side].high];
    const axis = (side, rest) => ({
      font: FONT, stroke: ink, grid, ticks: { show: false }, labelFont: FONT, label: this.part[side].name, labelSize: 18,
      ...rest,
      splits: (u, _, low, high, step) => (this.part[side].labels ? this.cells(u, side) : steps(low, high, step)),
      values: (_, splits) => splits.map((value) => this.write(side, value, splits)),
    });
    return {
      width: this.frame.clientWidth || 600,
      height: this.height,
      ms: 1,
      padding: [10, 20, 0, 0],
      legend: { show: false },
      scales: { x: { time: false, range: range("x") }, y: { range: range("y") } },
      series: [{}, { scale: "y", paths: () => null, points: { show: false } }],
      axes: [
        axis("x", { size: 26, gap: 6, space: 60 }),
        axis("y", { scale: "y", side: 3, gap: 8, space: 34, size: (u, texts) => this.room(texts) }),
      ],
      cursor: { points: { show: false }, drag: { x: false, y: false }, x: !this.part.cells, y: !this.part.cells },
      hooks: { draw: [(u) => this.draw(u)], setCursor: [(u) => this.point(u)] },
    };
  }

  /** How wide the labels of the upward axis are. */
  room(texts) {
    const most = Math.max(0, ...(texts ?? []).map((text) => text.length));
    return Math.min(innerWidth < 640 ? 84 : 150, Math.max(34, most * 6.4 + 14));
  }

  /** Which cells are named: as many as there is room for. */
  cells(u, side) {
    const { labels } = this.part[side];
    const wide = side === "x" ? Math.max(...labels.map((label) => label.length)) * 6.6 + 14 : 18;
    const length = (side === "x" ? this.frame.clientWidth - 60 : this.height - 60) || 300;
    const every = Math.max(1, Math.ceil((labels.length * wide) / length));
    return labels.map((_, i) => i).filter((i) => i % every === 0);
  }

  write(side, value, splits) {
    const { labels, axis } = this.part[side];
    if (labels) return labels[value] ?? "";
    return axis(value, splits.length > 1 ? splits[1] - splits[0] : 1);
  }

  /** Show another part in the same place. */
  show(part) {
    this.part = part;
    this.frame.setAttribute("aria-label", say("plane.keys", { name: part.name }));
    for (const [i, side] of ["x", "y"].entries()) this.plot.axes[i].label = part[side].name;
    this.tell(null);
    this.caption();
    this.update();
  }

  update() {
    if (!this.frame.clientWidth) return;
    this.plot.setData(this.plot.data);
  }

  resize() {
    if (!this.frame.clientWidth) return;
    this.plot.setSize({ width: this.frame.clientWidth, height: this.height });
  }

  pen(u) {
    return new Pen(u, { from: this.part.x.low, to: this.part.x.high });
  }

  draw(u) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    this.part.draw(this.pen(u));
    ctx.restore();
  }

  caption() {
    this.legend.replaceChildren(...(this.part.legend?.() ?? []).map(([kind, text, value]) => {
      const item = element("span", "item");
      item.append(element("i", `swatch ${kind}`), element("span", "", text));
      if (value !== undefined) item.append(element("b", "", " " + value));
      return item;
    }));
  }

  point(u) {
    const { left, top } = u.cursor;
    if (left < 0 || top < 0) return this.tell(null);
    const found = this.part.at?.(u.posToVal(left, "x"), u.posToVal(top, "y"), this.pen(u));
    this.tell(found ?? null);
  }

  /** Tell of what is pointed at, beside it and to those who listen. */
  tell(found) {
    this.under = found;
    this.tip.hidden = !found;
    if (!found) return;
    const list = element("dl");
    for (const [name, value] of found.rows) list.append(element("dt", "", name), element("dd", "", value));
    this.tip.replaceChildren(element("strong", "", found.title), list);
    this.said.textContent = [found.title, ...found.rows.map(([name, value]) => `${name}: ${value}`)].join(", ");
    const { over } = this.plot;
    const x = this.plot.valToPos(found.x, "x"), y = this.plot.valToPos(found.y, "y");
    const right = x + this.tip.offsetWidth + 24 < over.clientWidth;
    this.tip.style.left = `${Math.max(0, right ? x + 16 : x - this.tip.offsetWidth - 16)}px`;
    this.tip.style.top = `${Math.max(2, Math.min(y - 20, over.clientHeight - this.tip.offsetHeight - 4))}px`;
  }

  /** Arrow keys walk from one thing to the next. */
  key(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (event.key === "Escape") return this.tell(null);
    if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.tell(this.part.step(this.under, ...way));
  }
}

/** Round places on an axis. */
function steps(low, high, step) {
  const places = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) places.push(Number((i * step).toPrecision(12)));
  return places;
}

/** A vertical line through a plane or a chart. */
function upright(pen, at, color, { width = 2, dash = [] } = {}) {
  const x = Math.round(pen.x(at)) + 0.5, path = new Path2D();
  path.moveTo(x, pen.box.top);
  path.lineTo(x, pen.box.top + pen.box.height);
  pen.stroke(path, theme.color(color), width, dash);
}

/** The same with room on both sides, so that nothing stands on the frame. */
function roomy(low, high, share = 0.05) {
  const room = (high - low || Math.abs(high) || 1) * share;
  return { low: low - room, high: high + room };
}
