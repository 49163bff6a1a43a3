// What people read: numbers, times and sentences in the language of the page. Times are UTC everywhere.

const PAGE = JSON.parse(document.getElementById("page-data").textContent);
const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

function say(key, params = {}) {
  return PAGE.text[key].replace(/\{(\w+)\}/g, (_, name) => params[name]);
}

const writers = new Map();

/** A number with a fixed count of decimals; a true minus, because a hyphen is narrower than a figure. */
function number(value, digits = 2) {
  if (Number.isNaN(value)) return "–";
  let writer = writers.get(digits);
  if (!writer) {
    writer = new Intl.NumberFormat(PAGE.language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
    writers.set(digits, writer);
  }
  const text = writer.format(value);
  if (!text.startsWith("-")) return text;
  return /[1-9]/.test(text) ? "−" + text.slice(1) : text.slice(1);
}

const PERCENT_SIGN = PAGE.language === "fr" ? "\u202f%" : "%";

function percent(value, digits = 2) {
  return Number.isNaN(value) ? "–" : number(value * 100, digits) + PERCENT_SIGN;
}

/** An amount: cents as a rule, more decimals below one so that small change is not 0.00. */
function money(value) {
  const size = Math.abs(value);
  return number(value, size === 0 || size >= 1 ? 2 : size >= 0.01 ? 4 : 8);
}

/** A quantity or a value of unknown size: about six figures, no idle zeros. */
function figure(value) {
  if (Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  const digits = size === 0 ? 0 : Math.max(0, Math.min(10, 5 - Math.floor(Math.log10(size))));
  return new Intl.NumberFormat(PAGE.language, { maximumFractionDigits: digits }).format(value).replace("-", "−");
}

const two = (n) => String(n).padStart(2, "0");

function day(ts) {
  const d = new Date(ts);
  return `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`;
}

function minute(ts) {
  const d = new Date(ts);
  return `${day(ts)} ${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
}

/** How long, in its two largest units: 3 d 4 h. */
function duration(ms) {
  const parts = [];
  for (const [unit, size] of [["day", DAY], ["hour", HOUR], ["minute", MINUTE]]) {
    const count = Math.floor(ms / size);
    ms -= count * size;
    if (count || (unit === "minute" && !parts.length)) parts.push(`${count} ${say("unit." + unit)}`);
  }
  return parts.slice(0, 2).join(" ");
}

const MONTHS = say("months.names").split(" ");

// Steps of a time axis. Beyond days they are counted in months, which differ in length.
const STEPS = [1, 5, 15, 30, 60, 120, 240, 360, 720].map((m) => m * MINUTE).concat([DAY, 2 * DAY, 7 * DAY, 14 * DAY]);
const MONTH_STEPS = [1, 2, 3, 6, 12, 24, 60, 120];

/** Places of a time axis between two times, at most `most` of them, on round UTC times. */
function timeSplits(from, to, most) {
  const wanted = (to - from) / Math.max(1, most);
  const step = STEPS.find((s) => s >= wanted);
  const splits = [];
  if (step && step < 2 * DAY) {
    for (let t = Math.ceil(from / step) * step; t <= to; t += step) splits.push(t);
    return splits;
  }
  const at = new Date(from);
  if (step) {
    // days are counted from the first of each month, so that the first is always among them
    const days = step / DAY;
    for (let y = at.getUTCFullYear(), m = at.getUTCMonth(); Date.UTC(y, m, 1) <= to; m++) {
      const length = new Date(Date.UTC(y, m + 1, 0)).getUTCDate();
      for (let d = 1; d + days / 2 <= length + 1; d += days) {
        const t = Date.UTC(y, m, d);
        if (t >= from && t <= to) splits.push(t);
      }
    }
    return splits;
  }
  const months = MONTH_STEPS.find((n) => n * 30.4 * DAY >= wanted) ?? 240;
  for (let m = at.getUTCFullYear() * 12 + at.getUTCMonth(); ; m++) {
    if (m % months) continue;
    const t = Date.UTC(Math.floor(m / 12), m % 12, 1);
    if (t > to) return splits;
    if (t >= from) splits.push(t);
  }
}

/** The text of one place: the year at its start, else the month, else the day, else the hour. */
function timeLabel(ts) {
  const d = new Date(ts);
  if (ts % DAY) return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
  if (d.getUTCDate() > 1) return `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]}`;
  return d.getUTCMonth() ? MONTHS[d.getUTCMonth()] : String(d.getUTCFullYear());
}

/** An element, its classes and its text. Everything that users wrote goes through here, as text, never as markup. */
function element(tag, classes = "", text = "") {
  const node = document.createElement(tag);
  if (classes) node.className = classes;
  if (text !== "") node.textContent = text;
  return node;
}
