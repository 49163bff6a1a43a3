// The page of a search: its charts over time, its fan of paths, and what can be copied.

const AXIS = innerWidth < 640 ? 54 : 64;

/** Charts of equity: the chosen one's, and that of a walk forward. */
async function setUpEquity() {
  const host = document.getElementById("equity-chart");
  if (!host) return;
  const spec = PAGE.equity;
  const [ts, equity, hold] = await Promise.all([column(spec.ts), column(spec.equity), column(spec.hold)]);
  const lines = { equity: new Line(ts, equity), hold: new Line(ts, hold) };
  let holding = true;
  curve(host, ts, spec.cash, lines.equity, {
    name: say("equity"),
    lines: () => (holding ? [lines.equity, lines.hold] : [lines.equity]),
    under: (pen) => {
      if (spec.split === null) return;
      const from = pen.x(spec.split);
      pen.ctx.fillStyle = theme.faded("accent", 0.07);
      pen.ctx.fillRect(from, pen.box.top, pen.box.left + pen.box.width - from, pen.box.height);
      if (holding) pen.line(lines.hold, "muted", 1.25);
      upright(pen, spec.split, "ink", { width: 1.25, dash: [5, 4] });
    },
    over: (pen) => { if (holding && spec.split === null) pen.line(lines.hold, "muted", 1.25); },
    legend: (time) => [
      { label: say("hold"), value: change(lines.hold, time, spec.cash), color: "muted", shown: holding, toggle: () => { holding = !holding; } },
      ...(spec.split === null ? [] : [{ label: say("chart.split", { day: spec.day }) }]),
    ],
  });
}

async function setUpWalk() {
  const host = document.getElementById("walk-chart");
  if (!host) return;
  const spec = PAGE.walk;
  const [ts, equity] = await Promise.all([column(spec.ts), column(spec.equity)]);
  const line = new Line(ts, equity);
  const starts = spec.windows.map((window) => window.from);
  curve(host, ts, spec.cash, line, {
    name: say("walk.equity"),
    lines: () => [line],
    under: (pen) => { for (const start of starts) upright(pen, start, "rule", { width: 1, dash: [3, 3] }); },
    over: () => {},
    legend: (time) => {
      const at = Math.max(0, starts.findLastIndex((start) => start <= time));
      return [{ label: say("chart.window", { number: at + 1, params: spec.windows[at].params }) }];
    },
  });
}

function change(line, time, cash) {
  return `${number(line.at(time), 2)} (${percent(line.at(time) / cash - 1)})`;
}

function curve(host, ts, cash, equity, { name, lines, under, over, legend }) {
  const view = new View(ts[0], ts[ts.length - 1], (ts[ts.length - 1] - ts[0]) / ts.length);
  return new Chart(host, view, {
    name, height: 300, axis: axisNumber, room: 0.08, last: true,
    extent: (from, to, width) => extents(lines(), from, to, width),
    draw: (pen) => {
      under(pen);
      pen.rule(cash);
      over(pen);
      pen.area(equity, "accent", pen.low, { width: 1.75, strong: 0.2 });
    },
    legend: (time, pointed) => [
      { label: name, value: change(equity, time, cash), color: "accent", strong: true },
      ...legend(time),
      ...(pointed ? [{ label: minute(time) }] : []),
    ],
  });
}

/** The paths of cross-validation: bands that hold most of them, some of them, and the median. */
function setUpFan() {
  const host = document.getElementById("fan-chart");
  if (!host) return;
  const { bands, lines, sharpes } = PAGE.paths;
  const size = bands[0].length, last = size - 1;
  const all = [...bands.flat(), ...lines.flat()];
  const growth = (value, step) => axisPercent(value - 1, step);
  const found = (i) => {
    const at = Math.min(last, Math.max(0, i));
    const span = (low, high) => `${percent(bands[low][at] - 1)} … ${percent(bands[high][at] - 1)}`;
    return { point: at, x: at / last, y: bands[2][at], title: percent(at / last, 0), rows: [[say("paths.median"), percent(bands[2][at] - 1)], [say("paths.middle"), span(1, 3)], [say("paths.most"), span(0, 4)]] };
  };
  new Plane(host, {
    name: say("paths.fan"), height: 280,
    x: { name: say("paths.way"), low: 0, high: 1, axis: axisPercent },
    y: { axis: growth, ...roomy(Math.min(...all), Math.max(...all)) },
    draw: (pen) => {
      for (const [low, high, strength] of [[0, 4, 0.13], [1, 3, 0.22]]) {
        const path = new Path2D();
        bands[low].forEach((value, i) => path.lineTo(pen.x(i / last), pen.y(value)));
        for (let i = last; i >= 0; i--) path.lineTo(pen.x(i / last), pen.y(bands[high][i]));
        path.closePath();
        pen.ctx.fillStyle = theme.faded("accent", strength);
        pen.ctx.fill(path);
      }
      const draw = (values, color, width) => {
        const path = new Path2D();
        values.forEach((value, i) => path.lineTo(pen.x(i / last), pen.y(value)));
        pen.stroke(path, color, width);
      };
      for (const line of lines) draw(line, theme.faded("muted", 0.35), 1);
      pen.rule(1);
      draw(bands[2], theme.color("accent"), 2);
    },
    at: (x) => found(Math.round(x * last)),
    step: (under, right) => found((under?.point ?? -1) + right * Math.max(1, Math.round(last / 40))),
    legend: () => [["ink-accent", say("paths.median")], ["block ink-accent", say("paths.middle")], ["block pale ink-accent", say("paths.most")]],
  });
  if (!sharpes) return;
  new Plane(document.getElementById("sharpes-chart"), {
    ...barsPart(sharpes, {
      name: say("paths.sharpes"), unit: "ratio", count: say("paths.count"), height: 280,
      marks: [[0, "rule", [3, 3]], [sharpes.median, "accent", []]],
    }),
    legend: () => [["ink-accent", say("paths.median"), shown("ratio", sharpes.median)]],
  });
}

/** Buttons that copy what stands below them; where the browser does not let them, it is selected. */
function setUpCopying() {
  for (const button of document.querySelectorAll(".copy")) {
    button.addEventListener("click", async () => {
      const code = button.parentElement.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = say("copied");
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = say("selected");
      }
    });
  }
}

setUpTheme();
setUpCopying();
setUpTable();
Promise.all([setUpEquity(), setUpMaps(), setUpLine(), setUpSpread(), setUpFront(), setUpWalk(), setUpFan()])
  .then(() => { document.documentElement.dataset.ready = "true"; })
  .catch(broken);
