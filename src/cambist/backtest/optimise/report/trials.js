// What is drawn of the trials: maps of two axes, a line of one, how they are spread, and the front of several goals.

// Viridis (S. van der Walt and N. Smith, 2015): even steps of lightness, told apart by every kind of eye.
const RAMP = ["440154", "482878", "3e4989", "31688e", "26828e", "1f9e89", "35b779", "6ece58", "b5de2b", "fde725"]
  .map((hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)));

/** The colour of a share from 0 (worst) to 1 (best). */
function shade(share) {
  const at = Math.min(1, Math.max(0, share)) * (RAMP.length - 1), i = Math.min(RAMP.length - 2, Math.floor(at));
  return `rgb(${RAMP[i].map((low, k) => Math.round(low + (RAMP[i + 1][k] - low) * (at - i))).join(" ")})`;
}

const cellsOf = (axis) => ({ name: axis.name, labels: axis.labels, low: -0.5, high: axis.labels.length - 0.5 });
const within = (at, axis) => Math.min(axis.labels.length - 1, Math.max(0, at));

/** From where to where a map's colours run. The few worst do not squeeze all the others into one colour. */
function reachOf(values, better) {
  const known = [...values].filter((value) => !Number.isNaN(value)).sort((a, b) => (a - b) * better);
  if (!known.length) return [0, 1];
  const worst = known[Math.floor(known.length * 0.03)], best = known[known.length - 1];
  return worst === best ? [worst - better * 0.5, best + better * 0.5] : [worst, best];
}

/** One map as a part of a plane. */
function mapPart(map, goal) {
  const { x, y, values, chosen } = map;
  const wide = x.labels.length, tall = y.labels.length;
  const [worst, best] = reachOf(values, goal.better);
  const found = (i, j) => {
    if (i < 0 || j < 0 || i >= wide || j >= tall) return null;
    const value = values[j * wide + i], rows = [[y.name, y.labels[j]], [goal.name, Number.isNaN(value) ? say("map.none") : shown(goal.unit, value)]];
    const mark = i === chosen[0] && j === chosen[1];
    return { x: i, y: j, title: `${x.name} ${x.labels[i]}${mark ? ` · ${say("map.chosen")}` : ""}`, rows };
  };
  return {
    name: `${goal.name}: ${x.name} × ${y.name}`, kind: "map", cells: true, height: Math.min(520, Math.max(260, tall * 30 + 70)),
    x: cellsOf(x), y: cellsOf(y), worst, best,
    draw: (pen) => {
      const gap = pen.box.width / wide > 14 && pen.box.height / tall > 10 ? Math.round(pen.ratio) : 0;
      const box = (i, j) => {
        const left = Math.round(pen.x(i - 0.5)), top = Math.round(pen.y(j + 0.5));
        return [left, top, Math.round(pen.x(i + 0.5)) - left - gap, Math.round(pen.y(j - 0.5)) - top - gap];
      };
      for (let j = 0; j < tall; j++) {
        for (let i = 0; i < wide; i++) {
          const value = values[j * wide + i];
          pen.ctx.fillStyle = Number.isNaN(value) ? theme.color("grid") : shade((value - worst) / (best - worst));
          pen.ctx.fillRect(...box(i, j));
        }
      }
      if (chosen[0] < 0 || chosen[1] < 0) return;
      // black around white stands out on every colour; a cell too small to frame gets a frame around it
      const [left, top, w, h] = box(...chosen), least = 12 * pen.ratio;
      const dx = Math.max(0, least - w) / 2, dy = Math.max(0, least - h) / 2;
      for (const [color, width] of [["#000", 5], ["#fff", 2.5]]) {
        pen.ctx.strokeStyle = color;
        pen.ctx.lineWidth = width * pen.ratio;
        pen.ctx.strokeRect(left - dx, top - dy, w + 2 * dx, h + 2 * dy);
      }
    },
    at: (a, b) => found(Math.round(a), Math.round(b)),
    step: (under, right, up) => (under ? found(within(under.x + right, x), within(under.y + up, y)) : found(Math.max(0, chosen[0]), Math.max(0, chosen[1]))),
  };
}

/** The map with its axes changed over. */
function turned({ x, y, values, chosen }) {
  const wide = x.labels.length, tall = y.labels.length, out = new Float64Array(values.length);
  for (let j = 0; j < tall; j++) for (let i = 0; i < wide; i++) out[i * tall + j] = values[j * wide + i];
  return { x: y, y: x, values: out, chosen: [chosen[1], chosen[0]] };
}

function options(select, names, chosen) {
  select.replaceChildren(...names.map((name) => {
    const option = element("option", "", name);
    option.value = name;
    return option;
  }));
  select.value = chosen;
}

/** Two selectors that never name the same: the one that was not touched gives way to what the other had. */
function pair(first, second, names, change) {
  options(first, names, names[0]);
  options(second, names, names[1]);
  const had = new Map([[first, first.value], [second, second.value]]);
  for (const [select, other] of [[first, second], [second, first]]) {
    select.addEventListener("change", () => {
      if (select.value === other.value) other.value = had.get(select);
      for (const each of [first, second]) had.set(each, each.value);
      change();
    });
  }
}

async function setUpMaps() {
  const host = document.getElementById("map-chart");
  if (!host) return;
  const goal = PAGE.goals[0];
  const made = await Promise.all(PAGE.maps.map(async (map) => ({ ...map, values: await column(map.values) })));
  const names = [...new Set(made.flatMap((map) => [map.x.name, map.y.name]))];
  const across = document.getElementById("map-x"), up = document.getElementById("map-y");
  const part = () => {
    const same = made.find((map) => map.x.name === across.value && map.y.name === up.value);
    return mapPart(same ?? turned(made.find((map) => map.x.name === up.value && map.y.name === across.value)), goal);
  };
  const ramp = host.parentElement.querySelector(".ramp"), ctx = ramp.querySelector("canvas").getContext("2d");
  for (let i = 0; i < 256; i++) {
    ctx.fillStyle = shade(i / 255);
    ctx.fillRect(i, 0, 1, 1);
  }
  const ends = ({ worst, best }) => {
    ramp.querySelector(".from").textContent = shown(goal.unit, worst);
    ramp.querySelector(".to").textContent = shown(goal.unit, best);
  };
  let plane;
  pair(across, up, names, () => {
    const next = part();
    plane.show(next);
    ends(next);
  });
  const first = part();
  plane = new Plane(host, first);
  ends(first);
}

function setUpLine() {
  const host = document.getElementById("line-chart");
  if (!host) return;
  const { name, labels, values, chosen } = PAGE.line, goal = PAGE.goals[0];
  const known = values.filter((value) => value !== null);
  const found = (i) => (values[i] == null ? null : {
    x: i, y: values[i], title: `${name} ${labels[i]}${i === chosen ? ` · ${say("map.chosen")}` : ""}`, rows: [[goal.name, shown(goal.unit, values[i])]],
  });
  const axis = { name, labels };
  new Plane(host, {
    name: `${goal.name}: ${name}`, height: 280,
    x: { ...cellsOf(axis) }, y: { name: goal.name, axis: axisOf(goal.unit), ...roomy(Math.min(...known), Math.max(...known), 0.1) },
    draw: (pen) => {
      const path = new Path2D();
      values.forEach((value, i) => { if (value !== null) path.lineTo(pen.x(i), pen.y(value)); });
      pen.stroke(path, theme.color("accent"), 1.75);
      values.forEach((value, i) => { if (value !== null) dot(pen, i, value, i === chosen ? "ink" : "accent", i === chosen ? 6 : 2.5, i === chosen); });
    },
    at: (x) => found(within(Math.round(x), axis)),
    step: (under, right) => found(within((under?.x ?? Math.max(0, chosen) - right) + right, axis)),
    legend: () => [["dot hollow ink-ink", say("map.chosen"), chosen >= 0 ? labels[chosen] : "–"]],
  });
}

/** A point, filled or a ring. */
function dot(pen, x, y, color, size, hollow = false, strength = 1) {
  const { ctx, ratio } = pen;
  ctx.beginPath();
  ctx.arc(pen.x(x), pen.y(y), size * ratio, 0, 2 * Math.PI);
  if (hollow) {
    ctx.lineWidth = 2.5 * ratio;
    ctx.strokeStyle = theme.color(color);
    ctx.stroke();
  } else {
    ctx.fillStyle = theme.faded(color, strength);
    ctx.fill();
  }
}

/** Bars, and marks across them: [value, color, dash]. */
function barsPart({ edges, counts }, { name, unit, count, marks = [], height = 260 }) {
  const axis = axisOf(unit), most = Math.max(...counts);
  const found = (i) => {
    const at = Math.min(counts.length - 1, Math.max(0, i));
    return { bar: at, x: (edges[at] + edges[at + 1]) / 2, y: counts[at], title: `${shown(unit, edges[at])} … ${shown(unit, edges[at + 1])}`, rows: [[count, number(counts[at], 0)]] };
  };
  return {
    name, height,
    x: { name, axis, low: edges[0], high: edges[edges.length - 1] },
    y: { name: count, axis: (value) => (Number.isInteger(value) ? number(value, 0) : ""), low: 0, high: most * 1.08 },
    draw: (pen) => {
      const floor = pen.y(0);
      counts.forEach((value, i) => {
        if (!value) return;
        const left = Math.round(pen.x(edges[i])), right = Math.round(pen.x(edges[i + 1]));
        // one trial among a hundred thousand must still be seen
        const top = Math.min(pen.y(value), floor - 1.5 * pen.ratio);
        pen.ctx.fillStyle = theme.faded("muted", 0.55);
        pen.ctx.fillRect(left, top, Math.max(1, right - left - Math.round(pen.ratio)), floor - top);
      });
      for (const [value, color, dash] of marks) if (value !== null) upright(pen, value, color, { dash });
    },
    at: (x) => found(edges.findIndex((edge) => edge > x) - 1),
    step: (under, right) => found((under?.bar ?? -1) + right),
  };
}

function setUpSpread() {
  const host = document.getElementById("spread-chart");
  if (!host) return;
  const goal = PAGE.goals[0], { chosen, luck } = PAGE.spread;
  new Plane(host, {
    ...barsPart(PAGE.spread, {
      name: goal.name, unit: goal.unit, count: say("spread.trials"), marks: [[luck, "warn", [5, 4]], [chosen, "accent", []]],
    }),
    legend: () => [
      ["ink-accent", say("map.chosen"), shown(goal.unit, chosen)],
      ...(luck === null ? [] : [["dashed ink-warn", say("spread.luck"), shown(goal.unit, luck)]]),
    ],
  });
}

/** The trials by two goals. */
function frontPart(across, up) {
  const { points, numbers, params, front, chosen, reach } = PAGE.front;
  const [x, y] = [PAGE.goals[across], PAGE.goals[up]];
  const axis = (at) => {
    const marks = [...front, chosen].map((trial) => trial.values[at]);
    return { name: PAGE.goals[at].name, axis: axisOf(PAGE.goals[at].unit), ...roomy(Math.min(reach[at][0], ...marks), Math.max(reach[at][1], ...marks)) };
  };
  const found = (number_, text, a, b, last) => ({
    x: a, y: b, title: `${say("chosen.trial", { number: number_ })}${number_ === chosen.number ? ` · ${say("map.chosen")}` : ""}`,
    rows: [[x.name, shown(x.unit, a)], [y.name, shown(y.unit, b)], ...text.split(" · ").map((part) => [part, ""])], last,
  });
  const ofFront = (i) => found(front[i].number, front[i].params, front[i].values[across], front[i].values[up], i);
  return {
    name: `${x.name} × ${y.name}`, height: 340, x: axis(across), y: axis(up),
    draw: (pen) => {
      points[across].forEach((a, i) => dot(pen, a, points[up][i], "muted", 2, false, 0.45));
      if (PAGE.goals.length === 2) {
        const path = new Path2D();
        for (const trial of front) path.lineTo(pen.x(trial.values[across]), pen.y(trial.values[up]));
        pen.stroke(path, theme.color("line-1"), 1.5);
      }
      for (const trial of front) dot(pen, trial.values[across], trial.values[up], "line-1", 4);
      dot(pen, chosen.values[across], chosen.values[up], "ink", 7.5, true);
    },
    at: (a, b, pen) => {
      let best = null, least = (14 * pen.ratio) ** 2;
      const far = (u, v) => (pen.x(u) - pen.x(a)) ** 2 + (pen.y(v) - pen.y(b)) ** 2;
      points[across].forEach((u, i) => {
        const distance = far(u, points[up][i]);
        if (distance < least) [best, least] = [found(numbers[i], params[i], u, points[up][i]), distance];
      });
      front.forEach((trial, i) => {
        const distance = far(trial.values[across], trial.values[up]);
        if (distance <= least) [best, least] = [ofFront(i), distance];
      });
      return best;
    },
    step: (under, right, upward) => ofFront(Math.min(front.length - 1, Math.max(0, (under?.last ?? -1) + (right || upward)))),
    legend: () => [["dot ink-muted", say("front.points")], ["dot ink-line-1", say("front.front")], ["dot hollow ink-ink", say("map.chosen")]],
  };
}

function setUpFront() {
  const host = document.getElementById("front-chart");
  if (!host) return;
  const plane = new Plane(host, frontPart(0, 1));
  const across = document.getElementById("front-x"), up = document.getElementById("front-y");
  const names = PAGE.goals.map((goal) => goal.name);
  if (across) pair(across, up, names, () => plane.show(frontPart(names.indexOf(across.value), names.indexOf(up.value))));
}

/** Sort the table by a column: numbers by size, words by letter, what is unknown last. */
function setUpTable() {
  const table = document.querySelector(".trials");
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column_) => {
    head.querySelector("button").addEventListener("click", () => {
      const falling = head.getAttribute("aria-sort") !== "descending";
      for (const other of heads) other.setAttribute("aria-sort", other === head ? (falling ? "descending" : "ascending") : "none");
      const words = "words" in head.dataset, way = falling ? -1 : 1;
      const keys = new Map([...body.rows].map((row) => [row, row.cells[column_].dataset.key]));
      const compare = (a, b) => {
        if (a === "" || b === "") return (a === "") - (b === "");
        return way * (words ? a.localeCompare(b, PAGE.language, { numeric: true }) : Number(a) - Number(b));
      };
      body.append(...[...body.rows].sort((a, b) => compare(keys.get(a), keys.get(b))));
    });
  });
}
