// Columns as `columns.py` packed them, and their levels of detail: level k holds one value for each 2^k candles, so that
// half a million candles cost no more to draw than the screen has pixels.

async function inflate(name) {
  const text = atob(document.getElementById("blob-" + name).textContent);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const inflated = new Map();

function body(name) {
  if (!inflated.has(name)) inflated.set(name, inflate(name));
  return inflated.get(name);
}

/** The integers of a column, before its decimal point is set. */
function unfold(spec, bytes) {
  const { n, width, order } = spec;
  const out = new Float64Array(n);
  for (let k = 0, size = 1; k < width; k++, size *= 256) {
    const plane = bytes.subarray(k * n, (k + 1) * n);
    for (let i = 0; i < n; i++) out[i] += plane[i] * size;
  }
  for (let i = 0; i < n; i++) out[i] = out[i] % 2 ? -(out[i] + 1) / 2 : out[i] / 2;
  for (let pass = 0; pass < order; pass++) {
    for (let i = 1; i < n; i++) out[i] += out[i - 1];
  }
  return out;
}

/** A packed column as a Float64Array; NaN where it has gaps. */
async function column(spec) {
  const bytes = await body(spec.blob);
  const n = spec.n;
  if (spec.raw) {
    const flat = new Uint8Array(n * 8);
    for (let k = 0; k < 8; k++) for (let i = 0; i < n; i++) flat[i * 8 + k] = bytes[k * n + i];
    return new Float64Array(flat.buffer);
  }
  const out = unfold(spec, bytes);
  const scale = Number("1e" + spec.digits);
  if (scale !== 1) for (let i = 0; i < n; i++) out[i] /= scale;
  if (spec.gaps) {
    const mask = bytes.subarray(n * spec.width);
    for (let i = 0; i < n; i++) if (mask[i >> 3] & (128 >> (i & 7))) out[i] = NaN;
  }
  return out;
}

/** Open, high, low and close. They travel as distances from one another. */
async function prices(specs) {
  const names = ["open", "high", "low", "close"];
  if (!specs.open.related) {
    const [open, high, low, close] = await Promise.all(names.map((name) => column(specs[name])));
    return { open, high, low, close };
  }
  const [open, high, low, close] = await Promise.all(
    names.map(async (name) => unfold(specs[name], await body(specs[name].blob))),
  );
  const scale = Number("1e" + specs.close.digits);
  let before = specs.open.first;
  for (let i = 0; i < close.length; i++) {
    const o = open[i] + before, c = close[i];
    before = c;
    open[i] = o / scale;
    high[i] = (high[i] + Math.max(o, c)) / scale;
    low[i] = (Math.min(o, c) - low[i]) / scale;
    close[i] = c / scale;
  }
  return { open, high, low, close };
}

/** First position in a sorted array whose value is at least `value`. */
function lowerBound(sorted, value) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (sorted[mid] < value) low = mid + 1;
    else high = mid;
  }
  return low;
}

/** Position of the value nearest to `value` in a sorted array; -1 if it is empty. */
function nearest(sorted, value) {
  const i = lowerBound(sorted, value);
  if (i === sorted.length) return i - 1;
  return i > 0 && value - sorted[i - 1] < sorted[i] - value ? i - 1 : i;
}

/** A line over time. A level holds the extremes and the mean of its 2^k values; gaps inside are skipped over. */
class Line {
  constructor(x, values) {
    this.x = x;
    this.values = values;
    this.levels = [{ low: values, high: values, mean: values }];
  }

  level(k) {
    while (this.levels.length <= k) {
      const last = this.levels[this.levels.length - 1];
      const n = (last.low.length + 1) >> 1;
      const low = new Float64Array(n), high = new Float64Array(n), mean = new Float64Array(n);
      for (let i = 0; i < n; i++) {
        const a = 2 * i, b = Math.min(a + 1, last.low.length - 1);
        // comparisons with NaN are false: a gap beside a value yields the value
        low[i] = last.low[b] < last.low[a] || Number.isNaN(last.low[a]) ? last.low[b] : last.low[a];
        high[i] = last.high[b] > last.high[a] || Number.isNaN(last.high[a]) ? last.high[b] : last.high[a];
        const x = last.mean[a], y = last.mean[b];
        mean[i] = Number.isNaN(x) ? y : Number.isNaN(y) ? x : (x + y) / 2;
      }
      this.levels.push({ low, high, mean });
    }
    return this.levels[k];
  }

  /** What to draw between two times on `width` pixels: a level, its first bucket and the one after its last. */
  window(from, to, width) {
    const first = Math.max(0, lowerBound(this.x, from) - 1);
    const end = Math.min(this.x.length, lowerBound(this.x, to) + 1);
    const k = Math.max(0, Math.floor(Math.log2((end - first) / Math.max(1, width))));
    return { k, first: first >> k, end: end > first ? ((end - 1) >> k) + 1 : first >> k, ...this.level(k) };
  }

  /** The time of a bucket: the middle of what it holds. */
  time(k, bucket) {
    const a = bucket << k, b = Math.min(this.x.length - 1, a + (1 << k) - 1);
    return k ? (this.x[a] + this.x[b]) / 2 : this.x[a];
  }

  /** Least and greatest value between two times, or null where there is none. */
  extent(from, to, width) {
    const part = this.window(from, to, width);
    let low = Infinity, high = -Infinity;
    for (let i = part.first; i < part.end; i++) {
      if (part.low[i] < low) low = part.low[i];
      if (part.high[i] > high) high = part.high[i];
    }
    return low <= high ? [low, high] : null;
  }

  at(time) {
    const i = nearest(this.x, time);
    return i < 0 ? NaN : this.values[i];
  }
}

/** Candles and their levels: 2^k neighbours make one bar, with their first open, last close and extremes. */
class Bars {
  constructor(ts, step, { open, high, low, close }) {
    this.ts = ts;
    this.step = step;
    this.levels = [{ open, high, low, close }];
  }

  level(k) {
    while (this.levels.length <= k) {
      const last = this.levels[this.levels.length - 1];
      const n = (last.open.length + 1) >> 1;
      const bars = { open: new Float64Array(n), high: new Float64Array(n), low: new Float64Array(n), close: new Float64Array(n) };
      for (let i = 0; i < n; i++) {
        const a = 2 * i, b = Math.min(a + 1, last.open.length - 1);
        bars.open[i] = last.open[a];
        bars.close[i] = last.close[b];
        bars.high[i] = Math.max(last.high[a], last.high[b]);
        bars.low[i] = Math.min(last.low[a], last.low[b]);
      }
      this.levels.push(bars);
    }
    return this.levels[k];
  }

  /** What to draw between two times on `width` pixels, each bar at least `least` pixels wide. */
  window(from, to, width, least) {
    const first = Math.max(0, lowerBound(this.ts, from) - 1);
    const end = Math.min(this.ts.length, lowerBound(this.ts, to) + 1);
    const k = Math.max(0, Math.ceil(Math.log2(((end - first) * least) / Math.max(1, width))));
    return { k, first: first >> k, end: end > first ? ((end - 1) >> k) + 1 : first >> k, ...this.level(k) };
  }

  opens(k, bucket) {
    return this.ts[bucket << k];
  }

  closes(k, bucket) {
    return this.ts[Math.min(this.ts.length, (bucket + 1) << k) - 1] + this.step;
  }
}
