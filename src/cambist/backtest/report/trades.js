// Trades: their columns, and the list. Of ten thousand rows only those in sight exist; the rest is empty height.

const SIDES = { 1: "side.long", [-1]: "side.short" };
const ROW = 34; // pixels; the style sheet gives rows the same height

class Trades {
  static async load(spec) {
    const trades = new Trades();
    const columns = Object.entries(spec.columns);
    const values = await Promise.all(columns.map(([, packed]) => column(packed)));
    columns.forEach(([name], i) => { trades[name] = values[i]; });
    trades.length = spec.length;
    trades.symbols = spec.symbols;
    trades.strategies = spec.strategies;
    trades.reasons = spec.reasons;
    trades.gain = trades.pnl.map((pnl, i) => pnl / (trades.entry_price[i] * trades.quantity[i]));
    trades.held = trades.exit_ts.map((ts, i) => ts - trades.entry_ts[i]);
    // where they stand on the chart: the middle of the candle in which they filled, once the legs are known
    trades.entry = trades.entry_ts.slice();
    trades.exit = trades.exit_ts.slice();
    return trades;
  }

  reason(i) {
    return this.reasons[this.exit_reason[i]];
  }

  /** The trades of one leg; a leg whose strategy no trade names has all of its symbol. */
  of(leg) {
    const symbol = this.symbols.indexOf(leg.symbol), strategy = this.strategies.indexOf(leg.strategy);
    const mine = [];
    for (let i = 0; i < this.length; i++) {
      if (this.symbol[i] !== symbol || (strategy >= 0 && this.strategy[i] !== strategy)) continue;
      this.entry[i] = this.entry_ts[i] + leg.step / 2;
      this.exit[i] = this.exit_ts[i] + leg.step / 2;
      mine.push(i);
    }
    return mine;
  }
}

/** The columns of the list: key, how a cell reads, and what it sorts by (positions in the list, if nothing is named). */
function tradeColumns(trades, digits) {
  const tone = (values) => (i) => (values[i] > 0 ? "up" : values[i] < 0 ? "down" : "");
  const price = (name) => ({ key: name, text: (i) => number(trades[name][i], digits(i)), sort: trades[name] });
  const words = (name, text) => ({ key: name, text, sort: Array.from({ length: trades.length }, (_, i) => text(i)), left: true });
  const columns = [
    { key: "number", text: (i) => String(i + 1), sort: null },
    words("symbol", (i) => trades.symbols[trades.symbol[i]]),
    words("strategy", (i) => trades.strategies[trades.strategy[i]]),
    { ...words("side", (i) => say(SIDES[trades.side[i]])), tone: (i) => "side " + (trades.side[i] > 0 ? "long" : "short") },
    { key: "entry_ts", text: (i) => minute(trades.entry_ts[i]), sort: trades.entry_ts, left: true },
    price("entry_price"),
    { key: "exit_ts", text: (i) => minute(trades.exit_ts[i]), sort: trades.exit_ts, left: true },
    price("exit_price"),
    { key: "quantity", text: (i) => figure(trades.quantity[i]), sort: trades.quantity },
    { key: "pnl", text: (i) => money(trades.pnl[i]), sort: trades.pnl, tone: tone(trades.pnl) },
    { key: "gain", text: (i) => percent(trades.gain[i]), sort: trades.gain, tone: tone(trades.gain) },
    { key: "held", text: (i) => duration(trades.held[i]), sort: trades.held },
    { key: "fees", text: (i) => money(trades.fees[i]), sort: trades.fees },
    { key: "slippage", text: (i) => money(trades.slippage[i]), sort: trades.slippage },
    words("exit_reason", (i) => say("reason." + trades.reason(i))),
  ];
  return columns.filter(({ key }) =>
    (key !== "symbol" || trades.symbols.length > 1) && (key !== "strategy" || trades.strategies.length > 1));
}

class TradeList {
  /** @param {(i: number) => void} choose called with the trade that was clicked */
  constructor(host, trades, digits, choose) {
    this.trades = trades;
    this.choose = choose;
    this.columns = tradeColumns(trades, digits);
    this.sorted = { column: this.columns[0], down: false };
    this.keep = () => true;
    this.active = -1;
    this.chosen = -1;
    this.scroller = host.querySelector(".scroller");
    this.count = host.querySelector(".count");
    this.build();
    for (const input of host.querySelectorAll("input")) {
      input.addEventListener("change", () => {
        this.keep = { all: () => true, won: (i) => trades.pnl[i] > 0, lost: (i) => trades.pnl[i] < 0 }[input.value];
        this.order();
      });
    }
    host.querySelector(".save").addEventListener("click", () => this.save());
    this.order();
  }

  build() {
    const table = this.scroller.appendChild(element("table", "trade-list"));
    table.setAttribute("role", "grid");
    table.setAttribute("aria-label", say("trades"));
    table.tabIndex = 0;
    const row = table.appendChild(element("thead")).appendChild(element("tr"));
    for (const column of this.columns) {
      const head = row.appendChild(element("th", column.left ? "left" : ""));
      head.scope = "col";
      const button = head.appendChild(element("button", "", say("trade." + column.key)));
      button.type = "button";
      button.addEventListener("click", () => {
        const again = this.sorted.column === column;
        // numbers are looked at from the top, words and times from the start
        this.sorted = { column, down: again ? !this.sorted.down : !column.left && column.key !== "number" };
        this.order();
      });
      column.head = head;
    }
    this.rows = table.appendChild(element("tbody"));
    this.table = table;
    this.scroller.addEventListener("scroll", () => this.render(), { passive: true });
    new ResizeObserver(() => this.render()).observe(this.scroller);
    table.addEventListener("keydown", (event) => this.key(event));
    this.rows.addEventListener("click", (event) => {
      const place = event.target.closest("tr")?.dataset.place;
      if (place !== undefined) this.pick(Number(place));
    });
  }

  /** Sort and filter anew. Equal values keep their order in time. */
  order() {
    const { column, down } = this.sorted;
    const shown = [];
    for (let i = 0; i < this.trades.length; i++) if (this.keep(i)) shown.push(i);
    if (column.sort) {
      const by = column.sort, sign = down ? -1 : 1;
      const compare = typeof by[0] === "string" ? (a, b) => by[a].localeCompare(by[b]) : (a, b) => by[a] - by[b];
      shown.sort((a, b) => sign * compare(a, b) || a - b);
    } else if (down) shown.reverse();
    this.shown = shown;
    for (const each of this.columns) {
      each.head.setAttribute("aria-sort", each !== column ? "none" : down ? "descending" : "ascending");
    }
    this.table.setAttribute("aria-rowcount", String(shown.length + 1));
    const all = number(this.trades.length, 0);
    this.count.textContent = shown.length === this.trades.length ? all : say("trades.shown", { shown: number(shown.length, 0), all });
    this.active = shown.indexOf(this.chosen);
    this.scroller.scrollTop = 0;
    this.drawn = null;
    this.render();
  }

  render() {
    const { scroller, shown } = this;
    const first = Math.max(0, Math.floor(scroller.scrollTop / ROW) - 6);
    const end = Math.min(shown.length, Math.ceil((scroller.scrollTop + (scroller.clientHeight || 600)) / ROW) + 6);
    const drawn = `${first} ${end} ${this.active} ${this.chosen}`;
    if (this.drawn === drawn) return;
    this.drawn = drawn;
    const rows = [this.spacer(first)];
    for (let place = first; place < end; place++) rows.push(this.row(place));
    rows.push(this.spacer(shown.length - end));
    this.rows.replaceChildren(...rows);
    if (this.active >= first && this.active < end) this.table.setAttribute("aria-activedescendant", this.rowId(this.active));
    else this.table.removeAttribute("aria-activedescendant");
  }

  spacer(rows) {
    const spacer = element("tr", "spacer");
    spacer.setAttribute("aria-hidden", "true");
    spacer.style.height = `${rows * ROW}px`;
    return spacer;
  }

  rowId(place) {
    this.id ??= `trades-${document.querySelectorAll(".trade-list").length}`;
    return `${this.id}-${place}`;
  }

  row(place) {
    const i = this.shown[place];
    const row = element("tr", (i === this.chosen ? "chosen " : "") + (place === this.active ? "active" : ""));
    row.id = this.rowId(place);
    row.dataset.place = String(place);
    row.setAttribute("aria-rowindex", String(place + 2));
    row.setAttribute("aria-selected", String(i === this.chosen));
    for (const { text, tone, left } of this.columns) {
      row.append(element("td", `${left ? "left" : ""} ${tone?.(i) ?? ""}`.trim(), text(i)));
    }
    return row;
  }

  key(event) {
    if (event.target !== this.table) return;
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / ROW) - 2);
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[event.key];
    if (by !== undefined) {
      this.active = Math.min(Math.max(0, this.active + by), this.shown.length - 1);
      this.reveal(this.active);
    } else if ((event.key === "Enter" || event.key === " ") && this.active >= 0) this.pick(this.active);
    else return;
    event.preventDefault();
  }

  pick(place) {
    this.active = place;
    this.chosen = this.shown[place];
    this.render();
    this.choose(this.chosen);
  }

  /** Mark a trade that was chosen on the chart. */
  show(trade) {
    this.chosen = trade;
    this.active = this.shown.indexOf(trade);
    if (this.active >= 0) this.reveal(this.active);
  }

  reveal(place) {
    const { scroller } = this;
    const top = place * ROW, visible = scroller.clientHeight - 2 * ROW;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top > scroller.scrollTop + visible) scroller.scrollTop = top - visible;
    this.render();
  }

  /** Offer the list, as sorted and filtered, as a CSV file with full precision. */
  save() {
    const { trades } = this;
    const names = ["side", "entry_ts", "entry_price", "exit_ts", "exit_price", "quantity", "pnl", "fees", "slippage"];
    const quoted = (text) => `"${(/^[=+\-@]/.test(text) ? "'" : "") + text.replaceAll('"', '""')}"`;
    const lines = this.shown.map((i) => [
      quoted(trades.symbols[trades.symbol[i]]), quoted(trades.strategies[trades.strategy[i]]),
      ...names.map((name) => (name === "side" ? (trades.side[i] > 0 ? "long" : "short") : trades[name][i])), trades.reason(i),
    ].join(","));
    const text = [["symbol", "strategy", ...names, "exit_reason"].join(","), ...lines].join("\n") + "\n";
    const link = element("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = "trades.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
}
