// The price of one market: candles, indicators, and the trades where they happened.

const LEAST_BAR = 4.2; // pixels; below, neighbours are drawn as one bar
// Pixels of width for each trade in sight: with less than the first they are dots, with less than the second a tally.
const MARK_ROOM = 13, DOT_ROOM = 2.5;
const OVERLAYS = ["line-1", "line-2", "line-3", "line-4", "line-5", "line-6"];

class Market {
  /** @param {object} leg symbol, bars, lines, digits  @param {Trades} trades those of the whole result */
  constructor(leg, trades, view) {
    this.leg = leg;
    this.view = view;
    this.trades = trades;
    this.chosen = -1;
    this.overlays = leg.lines.filter((line) => line.overlay);
    this.overlays.forEach((line, i) => { line.color = OVERLAYS[i % OVERLAYS.length]; });
    this.mine = trades.of(leg);
    this.own = new Set(this.mine);
    this.marks = [];
    this.width = 900;
  }

  get part() {
    return {
      name: `${say("price")} ${this.leg.symbol}`,
      kind: "price",
      height: 400,
      axis: axisNumber,
      room: 0.08,
      extent: (from, to, width) => this.extent(from, to, width),
      draw: (pen) => this.draw(pen),
      legend: (time) => this.legend(time),
      hover: (u, left, top) => this.hover(u, left, top),
    };
  }

  extent(from, to, width) {
    this.width = width;
    const bars = this.leg.bars.window(from, to, width, LEAST_BAR);
    let low = Infinity, high = -Infinity;
    for (let i = bars.first; i < bars.end; i++) {
      if (bars.low[i] < low) low = bars.low[i];
      if (bars.high[i] > high) high = bars.high[i];
    }
    if (low > high) return null;
    // overlays may widen the picture, but one that lies far off must not flatten the candles
    const lines = extents(this.overlays.filter(({ hidden }) => !hidden).map(({ line }) => line), from, to, width);
    const spare = (high - low) * 0.35;
    return lines ? [Math.max(Math.min(low, lines[0]), low - spare), Math.min(Math.max(high, lines[1]), high + spare)] : [low, high];
  }

  draw(pen) {
    this.drawChosen(pen);
    this.drawBars(pen);
    for (const { line, color } of this.overlays.filter(({ hidden }) => !hidden)) pen.line(line, color, this.bars.k ? 1 : 1.4, this.bars.k > 2 ? 0.6 : 1);
    this.drawTrades(pen);
  }

  drawBars(pen) {
    const { ctx, ratio } = pen;
    const bars = this.leg.bars.window(this.view.from, this.view.to, pen.box.width / ratio, LEAST_BAR);
    this.bars = bars;
    const wick = Math.max(1, Math.round(ratio));
    const sides = { up: new Path2D(), down: new Path2D() };
    for (let i = bars.first; i < bars.end; i++) {
      const left = pen.x(this.leg.bars.opens(bars.k, i)), right = pen.x(this.leg.bars.closes(bars.k, i));
      const path = bars.close[i] >= bars.open[i] ? sides.up : sides.down;
      let wide = Math.max(1, Math.round((right - left) * (right - left > 8 * ratio ? 0.72 : 0.62)));
      if ((wide - wick) % 2) wide += right - left > wide + 2 ? 1 : -1; // the wick then stands in the very middle
      const x = Math.round((left + right - wide) / 2);
      const top = Math.round(pen.y(Math.max(bars.open[i], bars.close[i])));
      const bottom = Math.round(pen.y(Math.min(bars.open[i], bars.close[i])));
      const high = Math.round(pen.y(bars.high[i])), low = Math.round(pen.y(bars.low[i]));
      path.rect(x, top, wide, Math.max(wick, bottom - top));
      const middle = x + (wide - wick) / 2;
      if (high < top) path.rect(middle, high, wick, top - high);
      if (low > bottom) path.rect(middle, bottom, wick, low - bottom);
    }
    for (const [side, path] of Object.entries(sides)) {
      ctx.fillStyle = theme.color("candle-" + side);
      ctx.fill(path);
    }
  }

  /** Trades in sight: positions in the list. */
  visible() {
    const { from, to } = this.view;
    const { entry, exit } = this.trades;
    return this.mine.filter((i) => entry[i] <= to && exit[i] >= from);
  }

  drawTrades(pen) {
    const { entry, exit, entry_price, exit_price, side } = this.trades;
    const seen = this.visible();
    this.marks = [];
    if (seen.length > this.width / MARK_ROOM) {
      if (seen.length > this.width / DOT_ROOM) this.drawTally(pen, seen);
      else this.drawDots(pen, seen);
      seen.length = 0;
    }
    if (this.chosen >= 0 && this.own.has(this.chosen) && !seen.includes(this.chosen)) seen.push(this.chosen);
    for (const i of seen) {
      const path = new Path2D();
      path.moveTo(pen.x(entry[i]), pen.y(entry_price[i]));
      path.lineTo(pen.x(exit[i]), pen.y(exit_price[i]));
      pen.stroke(path, theme.faded(this.tone(i), i === this.chosen ? 1 : 0.6), i === this.chosen ? 2 : 1.25, [4, 3]);
    }
    for (const i of seen) {
      const size = (i === this.chosen ? 7.5 : 6) * pen.ratio;
      this.mark(pen, i, "entry", entry[i], entry_price[i], this.arrow(size, side[i]), "entry");
      this.mark(pen, i, "exit", exit[i], exit_price[i], this.diamond(size), this.tone(i));
    }
  }

  /** From far away: a dot where each trade ended, its colour the outcome; dots that would fall on one another are one. */
  drawDots(pen, seen) {
    const { ctx, ratio } = pen;
    const { exit, exit_price, pnl } = this.trades;
    const cell = 4 * ratio, taken = new Set();
    const dots = { up: new Path2D(), down: new Path2D() };
    for (const i of seen) {
      const x = pen.x(exit[i]), y = pen.y(exit_price[i]);
      this.marks.push({ x: x / ratio, y: y / ratio, trade: i, end: "exit" });
      const place = Math.round(x / cell) * 65536 + Math.round(y / cell);
      if (taken.has(place)) continue;
      taken.add(place);
      const path = pnl[i] >= 0 ? dots.up : dots.down;
      path.moveTo(x + 1.7 * ratio, y);
      path.arc(x, y, 1.7 * ratio, 0, Math.PI * 2);
    }
    for (const [name, path] of Object.entries(dots)) {
      ctx.fillStyle = theme.color(name);
      ctx.strokeStyle = theme.color("panel");
      ctx.lineWidth = ratio;
      ctx.stroke(path);
      ctx.fill(path);
    }
  }

  /** From so far that dots would hide the price: how many trades were won and lost, along the foot of the chart. */
  drawTally(pen, seen) {
    const { ctx, box, ratio } = pen;
    const wide = 4 * ratio, count = Math.ceil(box.width / wide);
    const won = new Uint32Array(count), lost = new Uint32Array(count);
    for (const i of seen) {
      const at = Math.floor((pen.x(this.trades.exit[i]) - box.left) / wide);
      if (at >= 0 && at < count) (this.trades.pnl[i] >= 0 ? won : lost)[at] += 1;
    }
    let most = 1;
    for (let at = 0; at < count; at++) most = Math.max(most, won[at] + lost[at]);
    const unit = (box.height * 0.12) / most, floor = box.top + box.height;
    for (const [tone, part, under] of [["up", won, null], ["down", lost, won]]) {
      ctx.fillStyle = theme.faded(tone, 0.6);
      for (let at = 0; at < count; at++) {
        const foot = floor - (under ? under[at] * unit : 0);
        ctx.fillRect(box.left + at * wide, foot - part[at] * unit, wide - ratio, part[at] * unit);
      }
    }
  }

  tone(i) {
    return this.trades.pnl[i] >= 0 ? "up" : "down";
  }

  arrow(size, side) {
    const path = new Path2D();
    const d = side > 0 ? 1 : -1;
    path.moveTo(0, 0);
    path.lineTo(size * 0.95, d * size * 1.6);
    path.lineTo(-size * 0.95, d * size * 1.6);
    path.closePath();
    return path;
  }

  diamond(size) {
    const path = new Path2D();
    path.moveTo(0, -size);
    path.lineTo(size, 0);
    path.lineTo(0, size);
    path.lineTo(-size, 0);
    path.closePath();
    return path;
  }

  mark(pen, trade, end, time, price, shape, color) {
    const { ctx, ratio } = pen;
    const x = pen.x(time), y = pen.y(price);
    const open = end === "exit" && this.trades.reason(trade) === "open";
    ctx.save();
    ctx.translate(x, y);
    ctx.lineWidth = 3 * ratio;
    ctx.lineJoin = "round";
    ctx.strokeStyle = theme.color("panel");
    ctx.stroke(shape);
    ctx.fillStyle = theme.color(open ? "panel" : color);
    ctx.fill(shape);
    if (open) {
      ctx.lineWidth = 1.5 * ratio;
      ctx.strokeStyle = theme.color(color);
      ctx.stroke(shape);
    }
    ctx.restore();
    const up = end === "entry" ? this.trades.side[trade] * 6 : 0; // an arrow's body lies beside the price it points at
    this.marks.push({ x: x / ratio, y: y / ratio + up, trade, end });
  }

  /** The chosen trade as a band behind the candles. */
  drawChosen(pen) {
    const i = this.chosen;
    if (i < 0 || !this.own.has(i)) return;
    const { ctx } = pen;
    const left = pen.x(this.trades.entry[i]), right = pen.x(this.trades.exit[i]);
    ctx.fillStyle = theme.faded(this.tone(i), 0.065);
    ctx.fillRect(left, pen.box.top, Math.max(2, right - left), pen.box.height);
  }

  legend(time) {
    const { bars, symbol, digits, timeframe } = this.leg;
    const items = [{ label: symbol, strong: true }];
    const shown = bars.window(this.view.from, this.view.to, this.width, LEAST_BAR);
    const i = Math.max(0, lowerBound(bars.ts, time + 1) - 1) >> shown.k;
    if (shown.open.length && i < shown.open.length) {
      for (const name of ["open", "high", "low", "close"]) items.push({ label: say(name), value: number(shown[name][i], digits) });
    }
    for (const overlay of this.overlays) {
      const { name: label, line, color, hidden } = overlay;
      // no more decimals than the line was packed with: the rest would be made up
      items.push({ label, value: number(line.at(time), Math.min(digits, overlay.digits)), color, shown: !hidden, toggle: () => { overlay.hidden = !overlay.hidden; } });
    }
    if (this.visible().length > this.width / DOT_ROOM) items.push({ label: say("tally") });
    if (shown.k) items.push({ label: say("each_candle", { count: 1 << shown.k, timeframe }) });
    return items;
  }

  hover(u, left, top) {
    this.tip ??= u.over.appendChild(element("div", "tip"));
    let best = null, least = 14 * 14;
    if (left >= 0 && top >= 0) {
      for (const mark of this.marks) {
        const dx = mark.x - u.bbox.left / devicePixelRatio - left, dy = mark.y - u.bbox.top / devicePixelRatio - top;
        const distance = dx * dx + dy * dy;
        if (distance < least) [best, least] = [mark, distance];
      }
    }
    this.tip.hidden = !best;
    u.over.style.cursor = best ? "pointer" : "";
    this.under = best?.trade ?? -1;
    if (!best) return;
    this.fill(best);
    const x = best.x - u.bbox.left / devicePixelRatio, y = best.y - u.bbox.top / devicePixelRatio;
    const right = x + this.tip.offsetWidth + 24 < u.over.clientWidth;
    this.tip.style.left = `${Math.max(4, right ? x + 14 : x - this.tip.offsetWidth - 14)}px`;
    this.tip.style.top = `${Math.max(4, Math.min(y - 20, u.over.clientHeight - this.tip.offsetHeight - 4))}px`;
  }

  fill({ trade: i, end }) {
    const { trades } = this;
    const rows = [
      [`trade.${end}_price`, number(trades[end + "_price"][i], this.leg.digits)],
      ["trade.quantity", figure(trades.quantity[i])],
      ["trade.pnl", `${money(trades.pnl[i])} (${percent(trades.gain[i])})`],
      ["trade.held", duration(trades.held[i])],
      ["trade.exit_reason", say("reason." + trades.reason(i))],
    ];
    const title = element("strong", "", `${say("trade." + end)} · ${say(trades.side[i] > 0 ? "side.long" : "side.short")}`);
    const list = element("dl");
    for (const [key, value] of rows) {
      list.append(element("dt", "", say(key)), element("dd", key === "trade.pnl" ? this.tone(i) : "", value));
    }
    this.tip.replaceChildren(title, element("time", "", minute(end === "entry" ? trades.entry_ts[i] : trades.exit_ts[i])), list);
  }
}

/** Panes for the lines that are not prices: those of one indicator (`macd(12, 26, 9).signal`) share a pane. */
function panes(lines) {
  const groups = new Map();
  for (const line of lines.filter((each) => !each.overlay)) {
    const family = line.name.replace(/([.:\[][^.:\[\]()]*\]?)$/, "");
    if (!groups.has(family)) groups.set(family, []);
    const group = groups.get(family);
    line.color = OVERLAYS[group.length % OVERLAYS.length];
    group.push(line);
  }
  return [...groups].map(([name, group]) => ({
    name,
    kind: "pane",
    height: 112,
    axis: axisNumber,
    extent: (from, to, width) => extents(group.map(({ line }) => line), from, to, width),
    draw: (pen) => {
      if (pen.low < -0.1 * pen.high && pen.high > 0) pen.rule(0);
      for (const { line, color } of group) pen.veiled(line, color, 1.25);
    },
    legend: (time) => group.map(({ name: label, line, color }) => ({ label, value: figure(line.at(time)), color })),
  }));
}
