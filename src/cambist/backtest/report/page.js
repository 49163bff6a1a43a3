// The page: tabs, and each result's charts, made when they are first looked at.

const AXIS = innerWidth < 640 ? 54 : Math.max(64, ...PAGE.results.flatMap((r) => r.legs.map((leg) => (leg.digits > 5 ? 84 : 64))));
const SPANS = { day: DAY, week: 7 * DAY, month: 30 * DAY, quarter: 91 * DAY, year: 365 * DAY };

/** How far each value lies below the greatest before it, the cash first, as a negative fraction. */
function belowPeak(values, cash) {
  let peak = cash;
  return values.map((value) => Math.max(value, 0) / (peak = Math.max(peak, value)) - 1);
}

/** One result: its section of the page and everything that moves in it. */
class Section {
  constructor(node, data) {
    this.node = node;
    this.data = data;
    this.markets = [];
  }

  async open() {
    const { data, node } = this;
    const [ts, equity, trades] = await Promise.all([column(data.ts), column(data.equity), Trades.load(data.trades)]);
    this.trades = trades;
    const legs = await Promise.all(data.legs.map((leg) => this.leg(leg)));
    const starts = legs.map((leg) => leg.bars.ts[0]), ends = legs.map((leg) => leg.bars.ts[leg.bars.ts.length - 1] + leg.step);
    const first = Math.min(...starts, ts[0]), last = Math.max(...ends, ts[ts.length - 1]);
    this.view = new View(first, last, legs.length ? Math.min(...legs.map((leg) => leg.step)) : (last - first) / ts.length || MINUTE);
    this.markets = legs.filter((leg) => leg.bars.ts.length).map((leg) => new Market(leg, trades, this.view));
    this.list = new TradeList(node.querySelector(".trades"), trades, (i) => this.digits(i), (i) => this.zoomTo(i));
    if (!ts.length) return;
    this.equity = new Line(ts, equity);
    const { factor, offset } = data.hold;
    const hold = factor === undefined ? await column(data.hold) : legs[0].bars.levels[0].close.map((close) => close * factor + offset);
    this.charts(ts, hold, belowPeak(equity, data.cash));
  }

  async leg(spec) {
    const [ts, ohlc] = await Promise.all([column(spec.ts), prices(spec.prices)]);
    const middles = ts.map((t) => t + spec.step / 2);
    const lines = await Promise.all(spec.lines.map(async (line) => ({
      name: line.name, overlay: line.overlay, digits: line.values.digits ?? spec.digits, line: new Line(middles, await column(line.values)),
    })));
    return { ...spec, bars: new Bars(ts, spec.step, ohlc), lines };
  }

  /** Decimals of the prices of a trade's market. */
  digits(i) {
    const symbol = this.trades.symbols[this.trades.symbol[i]];
    return this.data.legs.find((leg) => leg.symbol === symbol)?.digits ?? 4;
  }

  charts(ts, holdValues, drawdownValues) {
    const { node, view, equity } = this;
    const hold = new Line(ts, holdValues), drawdown = new Line(ts, drawdownValues);
    const first = this.data.cash;
    const change = (line, time) => `${number(line.at(time), 2)} (${percent(line.at(time) / first - 1)})`;
    const host = node.querySelector(".results");
    let holding = true;
    const curve = {
      name: say("equity"), height: 230, axis: axisNumber, room: 0.08,
      extent: (from, to, width) => extents(holding ? [equity, hold] : [equity], from, to, width),
      draw: (pen) => {
        pen.rule(first);
        if (holding) pen.line(hold, "muted", 1.25);
        pen.area(equity, "accent", pen.low, { width: 1.75, strong: 0.2 });
      },
      legend: (time) => [
        { label: say("equity"), value: change(equity, time), color: "accent", strong: true },
        { label: say("hold"), value: change(hold, time), color: "muted", shown: holding, toggle: () => { holding = !holding; } },
      ],
    };
    const repli = {
      name: say("drawdown"), height: 110, axis: axisPercent, last: true, flat: true,
      extent: (from, to, width) => { const e = extents([drawdown], from, to, width); return e && [Math.min(e[0], -0.001), 0]; },
      draw: (pen) => pen.area(drawdown, "down", 0, { width: 1.25, strong: 0.3, weak: 0.06 }),
      legend: (time) => [{ label: say("drawdown"), value: percent(drawdown.at(time)), color: "down", strong: true }],
    };
    this.all = [new Chart(host, view, curve), new Chart(host, view, repli)];
    strips.add(new Navigator(node.querySelector(".strip"), view, equity));
    this.setUpToolbar();
    this.showMarket(0);
  }

  setUpToolbar() {
    const { node, view } = this;
    for (const button of node.querySelectorAll("[data-span]")) {
      const span = SPANS[button.dataset.span];
      if (span && span > view.last - view.first) button.hidden = true;
      button.addEventListener("click", () => (span ? view.show(span) : view.all()));
    }
    node.querySelector(".zoom-in").addEventListener("click", () => view.zoom(0.6));
    node.querySelector(".zoom-out").addEventListener("click", () => view.zoom(1 / 0.6));
    const clock = node.querySelector(".clock"), { start, end } = view;
    const rest = () => { clock.textContent = `${minute(Math.max(view.from, start))} – ${minute(Math.min(view.to, end))}`; };
    view.pointed = (time) => (Number.isNaN(time) ? rest() : (clock.textContent = minute(time)));
    view.watch(() => {
      rest();
      node.querySelector(".zoom-out").disabled = view.isAll;
      for (const button of node.querySelectorAll("[data-span]")) {
        const span = SPANS[button.dataset.span];
        const on = span ? Math.abs(view.to - view.from - span) < span * 0.001 : view.isAll;
        button.setAttribute("aria-pressed", String(on));
      }
    });
    view.refresh();
    const pick = node.querySelector(".market-pick");
    pick?.addEventListener("change", () => this.showMarket(Number(pick.value)));
  }

  /** Draw the candles and panes of one market; one at a time, they share the place. */
  showMarket(index) {
    const market = this.markets[index];
    if (!market || market === this.market) return;
    this.market = market;
    const pick = this.node.querySelector(".market-pick");
    if (pick) pick.value = String(index);
    for (const other of this.markets) for (const chart of other.charts ?? []) chart.host.hidden = true;
    if (!market.charts) {
      const parts = [market.part, ...panes(market.leg.lines)];
      parts[parts.length - 1].last = true;
      const host = this.node.querySelector(".market");
      market.charts = parts.map((part) => new Chart(host, this.view, part));
      this.all.push(...market.charts);
      market.charts[0].plot.over.addEventListener("click", () => {
        if (market.under < 0 || market.under === undefined) return;
        this.choose(market.under);
        this.list.show(market.under);
      });
    }
    for (const chart of market.charts) { chart.host.hidden = false; chart.resize(); }
    for (const chart of this.all) chart.peers = this.all.filter((other) => other !== chart && !other.host.hidden);
  }

  choose(trade) {
    for (const market of this.markets) market.chosen = trade;
    this.view.refresh();
  }

  /** Show one trade with what came before and after it. */
  zoomTo(trade) {
    const { trades, view } = this;
    const index = this.markets.findIndex((market) => market.own.has(trade));
    if (index < 0) return;
    this.showMarket(index);
    this.choose(trade);
    const from = trades.entry[trade], to = trades.exit[trade];
    const around = Math.max((to - from) * 0.9, this.market.leg.step * 36);
    view.set(from - around, to + around);
    const box = this.market.charts[0].host.getBoundingClientRect();
    if (box.top < 60 || box.bottom > innerHeight) {
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      this.node.querySelector(".price-card").scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
    }
  }
}

async function setUpComparison() {
  const host = document.querySelector(".compare-chart");
  if (!host) return;
  const lines = await Promise.all(PAGE.results.map(async (result, i) => {
    const [ts, equity] = await Promise.all([column(result.ts), column(result.equity)]);
    return { name: result.title, line: new Line(ts, equity.map((value) => value / result.cash - 1)), color: `series-${(i % 8) + 1}`, shown: true };
  }));
  const drawn = lines.filter(({ line }) => line.x.length);
  if (!drawn.length) return;
  const view = new View(Math.min(...drawn.map(({ line }) => line.x[0])), Math.max(...drawn.map(({ line }) => line.x[line.x.length - 1])), MINUTE);
  const shown = () => drawn.filter((each) => each.shown);
  new Chart(host, view, {
    name: say("compare.equity"), height: 320, axis: axisPercent, last: true,
    extent: (from, to, width) => extents(shown().map(({ line }) => line), from, to, width),
    draw: (pen) => {
      if (pen.low < 0 && pen.high > 0) pen.rule(0);
      for (const { line, color } of shown()) pen.line(line, color, 1.75);
    },
    legend: (time, pointed) => [
      ...(pointed ? [{ label: minute(time) }] : []),
      ...shown().map(({ name, line, color }) => ({ label: name, value: percent(line.at(time)), color })),
    ],
  });
  for (const box of document.querySelectorAll(".compare [data-series]")) {
    box.addEventListener("change", () => { lines[box.dataset.series].shown = box.checked; view.refresh(); });
  }
}

/** Tabs after the usual pattern: arrows move between them, and only the chosen one is a stop of the Tab key. */
function setUpTabs(sections) {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  const opened = new Set();
  const open = async (index) => {
    tabs.forEach((tab, i) => {
      tab.setAttribute("aria-selected", String(i === index));
      tab.tabIndex = i === index ? 0 : -1;
    });
    sections.forEach((section, i) => { section.node.hidden = i !== index; });
    if (opened.has(index)) return;
    opened.add(index);
    await sections[index].open();
  };
  tabs.forEach((tab, i) => {
    tab.addEventListener("click", () => open(i).catch(broken));
    tab.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: i - 1, ArrowRight: i + 1, Home: 0, End: tabs.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      const next = tabs[(to + tabs.length) % tabs.length];
      next.focus();
      next.click();
    });
  });
  for (const link of document.querySelectorAll("[data-open]")) {
    link.addEventListener("click", () => { tabs[link.dataset.open].click(); tabs[link.dataset.open].scrollIntoView({ block: "start" }); });
  }
  return open(0);
}

const sections = PAGE.results.map((data, i) => new Section(document.getElementById(`result-${i}`), data));
setUpTheme();
Promise.all([setUpComparison(), setUpTabs(sections)]).then(() => { document.documentElement.dataset.ready = "true"; }, broken);
