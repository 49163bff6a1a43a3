// One chart: uPlot keeps axes, scales and cursor; what is inside is drawn here, from levels of detail.

/** The theme's colours, as the canvas needs them: resolved, with or without transparency. */
const theme = {
  cache: new Map(),
  color(name) {
    if (!this.cache.has(name)) {
      this.probe ??= document.body.appendChild(element("span", "probe"));
      this.probe.style.color = `var(--${name})`;
      this.cache.set(name, getComputedStyle(this.probe).color);
    }
    return this.cache.get(name);
  },
  faded(name, alpha) {
    const [r, g, b] = this.color(name).match(/[\d.]+/g);
    return `rgba(${r}, ${g}, ${b}, ${alpha})`;
  },
};

const FONT = "11px system-ui, -apple-system, 'Segoe UI', Roboto, Ubuntu, Cantarell, 'Noto Sans', sans-serif";
const PIECE = 48; // points stroked at once: browsers take far longer for one long path than for its pieces
const charts = new Set();

class Chart {
  /**
   * @param {HTMLElement} host where it goes
   * @param {View} view the range it shows
   * @param {object} part name, height, axis (value to text), extent(from, to, width), draw(plot), legend(time)
   */
  constructor(host, view, part) {
    this.view = view;
    this.part = part;
    this.peers = [];
    this.host = host.appendChild(element("figure", "chart " + (part.kind ?? "")));
    this.legend = this.host.appendChild(element("figcaption", "legend"));
    this.frame = this.host.appendChild(element("div", "plot"));
    this.frame.tabIndex = 0;
    this.frame.setAttribute("role", "group");
    this.frame.setAttribute("aria-label", say("chart.keys", { name: part.name }));
    this.frame.addEventListener("keydown", (event) => view.key(event));
    this.plot = new uPlot(this.options(), [[view.first, view.last], [0, 1]], this.frame);
    this.setUpTouch();
    view.watch(() => this.update());
    new ResizeObserver(() => this.resize()).observe(this.frame);
    charts.add(this);
    this.update();
    this.describe(NaN);
  }

  get height() {
    const height = this.part.height;
    return innerWidth < 640 ? Math.round(height * 0.78) : height;
  }

  options() {
    const { part, view } = this;
    const grid = { stroke: () => theme.color("grid"), width: 1 };
    const ink = () => theme.color("muted");
    const asGiven = (_, min, max) => [min, max];
    return {
      width: this.frame.clientWidth || 600,
      height: this.height,
      ms: 1,
      padding: [10, 0, part.last ? 0 : 8, 0],
      legend: { show: false },
      scales: {
        x: { time: false, auto: false, range: asGiven },
        y: { auto: false, range: asGiven },
      },
      series: [{}, { scale: "y", paths: () => null, points: { show: false } }],
      axes: [
        {
          show: true, size: part.last ? 26 : 0, font: FONT, stroke: ink, grid, gap: 6, ticks: { show: false },
          splits: (u, _, from, to) => timeSplits(from, to, u.bbox.width / devicePixelRatio / (innerWidth < 640 ? 64 : 84)),
          // a label at the very edge would be cut in two
          values: (_, splits) => splits.map((t) => (part.last && this.place(t) > 18 && this.place(t) < this.width - 8 ? timeLabel(t) : "")),
        },
        {
          scale: "y", side: 1, size: AXIS, font: FONT, stroke: ink, grid, gap: 8, ticks: { show: false }, space: 34,
          values: (_, splits) => {
            const step = splits.length > 1 ? splits[1] - splits[0] : 1;
            return splits.map((value) => part.axis(value, step));
          },
        },
      ],
      cursor: {
        points: { show: false },
        drag: { x: true, y: false, setScale: false, dist: 6 },
        bind: { dblclick: () => () => (view.all(), null) },
      },
      hooks: {
        draw: [(u) => this.draw(u)],
        setCursor: [(u) => this.point(u)],
        setSelect: [(u) => this.selected(u)],
      },
    };
  }

  /** Bring the chart to the range of its view. */
  update() {
    const { view, plot } = this;
    if (!this.frame.clientWidth) return;
    const [low, high] = this.part.extent(view.from, view.to, this.width) ?? [0, 1];
    const room = high > low ? (high - low) * (this.part.room ?? 0.06) : Math.abs(high) * 0.01 || 1;
    const same = plot.scales.x.min === view.from && plot.scales.x.max === view.to;
    plot.batch(() => {
      plot.setScale("x", { min: view.from, max: view.to });
      plot.setScale("y", { min: low - room, max: high + (this.part.flat ? (high - low) * 0.02 : room) });
    });
    if (same) plot.redraw(false);
    if (!this.pointing) this.describe(NaN);
  }

  /** Where a time stands on the plot, in pixels. */
  place(time) {
    return ((time - this.view.from) / (this.view.to - this.view.from)) * this.width;
  }

  get width() {
    return Math.max(50, this.frame.clientWidth - AXIS);
  }

  resize() {
    if (!this.frame.clientWidth) return;
    this.plot.setSize({ width: this.frame.clientWidth, height: this.height });
    this.update();
  }

  draw(u) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    this.part.draw(new Pen(u, this.view));
    ctx.restore();
  }

  /** The cursor moved: show its values here, and where it stands on the other charts. */
  point(u) {
    if (this.following) return;
    const { left, top } = u.cursor;
    const time = left >= 0 ? this.view.from + (left / this.width) * (this.view.to - this.view.from) : NaN;
    for (const chart of [this, ...this.peers]) {
      chart.pointing = left >= 0;
      chart.describe(time);
      if (chart === this) continue;
      chart.following = true;
      chart.plot.setCursor({ left, top: -10 });
      chart.following = false;
    }
    this.part.hover?.(u, left, top, time);
    this.view.pointed?.(time);
  }

  selected(u) {
    const { left, width } = u.select;
    if (width < 6) return;
    const at = (x) => this.view.from + (x / this.width) * (this.view.to - this.view.from);
    this.view.set(at(left), at(left + width));
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  }

  /** Write the legend for a time, or for the end of the range. Items stay where they are and only change their text. */
  describe(time) {
    const items = this.part.legend(Number.isNaN(time) ? this.view.to : time, !Number.isNaN(time));
    while (this.legend.children.length > items.length) this.legend.lastChild.remove();
    items.forEach((item, i) => {
      const old = this.legend.children[i];
      if (old?.dataset.label === item.label) return this.rewrite(old, item);
      const fresh = this.item(item);
      if (old) old.replaceWith(fresh);
      else this.legend.append(fresh);
    });
  }

  rewrite(node, { value, shown }) {
    if (value !== undefined) node.querySelector("b").textContent = value;
    if (shown !== undefined) node.setAttribute("aria-pressed", String(shown));
  }

  /** One item; with `toggle`, a button that shows and hides its line. */
  item({ label, value, color, strong, shown, toggle }) {
    const node = element(toggle ? "button" : "span", strong ? "item strong" : "item");
    node.dataset.label = label;
    if (color) node.append(element("i", `swatch ink-${color}`));
    node.append(element("span", "label", label));
    if (value !== undefined) node.append(element("b", "", value));
    if (toggle) {
      node.type = "button";
      node.setAttribute("aria-pressed", String(shown));
      node.addEventListener("click", () => { toggle(); this.view.refresh(); });
    }
    return node;
  }

  setUpTouch() {
    const over = this.plot.over;
    gestures(over, this.view, () => this.width);
    let from = null;
    over.addEventListener("pointerdown", (event) => { from = event.pointerType === "touch" ? event : null; });
    over.addEventListener("pointerup", (event) => {
      if (!from || Math.abs(event.clientX - from.clientX) > 8) return;
      const box = over.getBoundingClientRect();
      this.plot.setCursor({ left: event.clientX - box.left, top: event.clientY - box.top });
    });
  }
}

/** What a chart draws with: places on the canvas, and lines and areas of any length. */
class Pen {
  constructor(u, view) {
    this.ctx = u.ctx;
    this.box = u.bbox;
    this.view = view;
    this.ratio = devicePixelRatio;
    this.low = u.scales.y.min;
    this.high = u.scales.y.max;
    this.perMs = u.bbox.width / (view.to - view.from);
    this.perUnit = u.bbox.height / (this.high - this.low);
  }

  x(time) {
    return this.box.left + (time - this.view.from) * this.perMs;
  }

  y(value) {
    return this.box.top + (this.high - value) * this.perUnit;
  }

  /** Stroke a line; where one bucket holds many values, through both its extremes. Returns its shape, if unbroken. */
  line(line, color, width = 1.5, strength = 1) {
    const { k, first, end, low, high } = line.window(this.view.from, this.view.to, this.box.width / this.ratio);
    const ink = theme.faded(color, strength);
    let piece = new Path2D(), points = 0, open = false, starts = 0, startX = 0, lastX = 0, lastY = 0;
    const shape = new Path2D();
    for (let i = first; i < end; i++) {
      if (Number.isNaN(low[i])) {
        open = false;
        continue;
      }
      const x = this.x(line.time(k, i));
      let a = this.y(low[i]), b = this.y(high[i]);
      // begin with the extreme that is nearer: the line then does not run back and forth
      if (Math.abs(b - lastY) < Math.abs(a - lastY)) [a, b] = [b, a];
      if (!open) {
        starts += 1;
        startX = x;
        piece.moveTo(x, a);
      } else piece.lineTo(x, a);
      if (a !== b) piece.lineTo(x, b);
      if (!k) open ? shape.lineTo(x, a) : shape.moveTo(x, a);
      open = true;
      lastX = x;
      lastY = b;
      if (++points % PIECE === 0) {
        this.stroke(piece, ink, width);
        piece = new Path2D();
        piece.moveTo(x, b);
      }
    }
    this.stroke(piece, ink, width);
    return !k && starts === 1 ? { shape, startX, lastX } : null;
  }

  /** A line that may be restless: from afar its mean, on a veil from least to greatest. */
  veiled(line, color, width) {
    const part = line.window(this.view.from, this.view.to, (this.box.width / this.ratio) * 0.6);
    if (part.k < 2) return this.line(line, color, width);
    const mean = new Path2D();
    let open = false;
    this.ctx.fillStyle = theme.faded(color, 0.2);
    this.columns(line, part, (i, left, wide) => {
      const top = this.y(part.high[i]);
      this.ctx.fillRect(left, top, wide, Math.max(1, this.y(part.low[i]) - top));
    });
    for (let i = part.first; i < part.end; i++) {
      const gap = Number.isNaN(part.mean[i]);
      const x = this.x(line.time(part.k, i));
      if (!gap && open) mean.lineTo(x, this.y(part.mean[i]));
      else if (!gap) mean.moveTo(x, this.y(part.mean[i]));
      open = !gap;
    }
    this.stroke(mean, theme.color(color), width);
  }

  /** Call `fill` for each bucket with the whole pixels it takes; such columns fill much faster than one large shape. */
  columns(line, part, fill) {
    const last = line.x.length - 1;
    let left = Math.round(this.x(line.x[part.first << part.k]));
    for (let i = part.first; i < part.end; i++) {
      const right = Math.round(this.x(line.x[Math.min(last, (i + 1) << part.k)]));
      if (right > left && !Number.isNaN(part.low[i])) fill(i, left, right - left);
      left = right;
    }
  }

  stroke(path, color, width, dash = []) {
    const { ctx, ratio } = this;
    ctx.strokeStyle = color;
    ctx.lineWidth = width * ratio;
    ctx.lineJoin = "bevel"; // thousands of corners: round ones take far longer and look the same
    ctx.setLineDash(dash.map((part) => part * ratio));
    ctx.stroke(path);
    ctx.setLineDash([]);
  }

  /** A line with the space between it and `base` filled, fading from `strong` (far from `base`) to `weak`. */
  area(line, color, base, { width = 1.5, strong = 0.28, weak = 0.02 } = {}) {
    const { ctx, box } = this;
    const floor = Math.min(Math.max(this.y(base), box.top), box.top + box.height);
    const below = base <= this.low;
    const shade = ctx.createLinearGradient(0, box.top, 0, box.top + box.height);
    shade.addColorStop(below ? 0 : 1, theme.faded(color, strong));
    shade.addColorStop(below ? 1 : 0, theme.faded(color, weak));
    ctx.fillStyle = shade;
    const part = line.window(this.view.from, this.view.to, box.width / this.ratio);
    if (part.k) {
      this.columns(line, part, (i, left, wide) => {
        const edge = this.y(part.mean[i]);
        ctx.fillRect(left, Math.min(edge, floor), wide, Math.abs(floor - edge));
      });
    }
    const whole = this.line(line, color, width);
    if (!whole) return;
    whole.shape.lineTo(whole.lastX, floor);
    whole.shape.lineTo(whole.startX, floor);
    whole.shape.closePath();
    ctx.fillStyle = shade;
    ctx.fill(whole.shape);
  }

  /** A level across the chart. */
  rule(value, color = "rule") {
    const path = new Path2D();
    const y = Math.round(this.y(value)) + 0.5;
    path.moveTo(this.box.left, y);
    path.lineTo(this.box.left + this.box.width, y);
    this.stroke(path, theme.color(color), 1, [3, 3]);
  }
}

/** Values on an axis: as many decimals as their steps need. */
function axisNumber(value, step) {
  return number(value, decimals(step));
}

function axisPercent(value, step) {
  return percent(value, decimals(step * 100));
}

function decimals(step) {
  const digits = Math.max(0, Math.min(10, -Math.floor(Math.log10(step) + 1e-9)));
  const shown = step * 10 ** digits;
  return Math.abs(shown - Math.round(shown)) > 1e-6 ? digits + 1 : digits; // 2.5 takes one more than 2
}

/** Least and greatest over several lines, or null. */
function extents(lines, from, to, width) {
  const known = lines.map((line) => line.extent(from, to, width)).filter(Boolean);
  if (!known.length) return null;
  return [Math.min(...known.map(([low]) => low)), Math.max(...known.map(([, high]) => high))];
}
