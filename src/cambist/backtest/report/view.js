// The range of time that is shown: one for all charts of a result, moved by buttons, keys, wheel, fingers and the
// navigator alike.

class View {
  constructor(first, last, step) {
    const margin = Math.max(step * 2, (last - first) * 0.004);
    this.start = first;
    this.end = last;
    this.first = first - margin;
    this.last = last + margin;
    this.least = step * 12;
    this.from = this.first;
    this.to = this.last;
    this.watchers = [];
    this.waiting = false;
  }

  /** Call `watcher` before the next frame, once, after any number of changes. */
  watch(watcher) {
    this.watchers.push(watcher);
  }

  refresh() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      for (const watcher of this.watchers) watcher(this);
    });
  }

  set(from, to) {
    const whole = this.last - this.first;
    const span = Math.min(whole, Math.max(Math.min(this.least, whole), to - from));
    const middle = (from + to) / 2;
    this.from = Math.min(Math.max(middle - span / 2, this.first), this.last - span);
    this.to = this.from + span;
    this.refresh();
  }

  all() {
    this.set(this.first, this.last);
  }

  get isAll() {
    return this.to - this.from >= (this.last - this.first) * 0.9999;
  }

  /** Show `span` ms, ending where the range ends now, never in the empty margin after the last candle. */
  show(span) {
    const to = this.isAll ? this.end : Math.min(this.to, this.end);
    this.set(to - span, to);
  }

  /** Zoom by `factor` (below one: closer) around the time `at`. */
  zoom(factor, at = (this.from + this.to) / 2) {
    const span = Math.max(this.least, (this.to - this.from) * factor);
    const share = (at - this.from) / (this.to - this.from);
    this.set(at - span * share, at + span * (1 - share));
  }

  /** Move by a share of what is shown. */
  move(share) {
    const by = (this.to - this.from) * share;
    this.set(this.from + by, this.to + by);
  }

  /** Handle a key pressed on a chart or on the navigator; tell whether it meant something. */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const far = event.shiftKey ? 0.5 : 0.1;
    switch (event.key) {
      case "ArrowLeft": this.move(-far); break;
      case "ArrowRight": this.move(far); break;
      case "PageUp": this.move(-0.9); break;
      case "PageDown": this.move(0.9); break;
      case "Home": this.set(this.first, this.first + this.to - this.from); break;
      case "End": this.set(this.last - this.to + this.from, this.last); break;
      case "+": case "=": case "ArrowUp": this.zoom(0.7); break;
      case "-": case "_": case "ArrowDown": this.zoom(1 / 0.7); break;
      case "0": this.all(); break;
      default: return false;
    }
    event.preventDefault();
    return true;
  }
}

/** Wheel and fingers on a plot. A plain wheel is left to the page: people scroll past charts more than they zoom. */
function gestures(node, view, width) {
  node.addEventListener("wheel", (event) => {
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (event.ctrlKey || event.metaKey) {
      const share = (event.clientX - node.getBoundingClientRect().left) / width();
      const strength = Math.max(-120, Math.min(120, event.deltaY)) * (event.deltaMode ? 30 : 1);
      view.zoom(Math.exp(strength * 0.004), view.from + share * (view.to - view.from));
    } else if (sideways && (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))) {
      view.move(sideways / width());
    } else return;
    event.preventDefault();
  }, { passive: false });

  const fingers = new Map();
  let lastTap = 0;
  const middle = () => [...fingers.values()].reduce((sum, x) => sum + x, 0) / fingers.size;
  const spread = () => { const [a, b] = [...fingers.values()]; return Math.max(12, Math.abs(a - b)); };
  node.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch") return;
    fingers.set(event.pointerId, event.clientX);
    if (fingers.size === 1) {
      if (event.timeStamp - lastTap < 300) view.all();
      lastTap = event.timeStamp;
    }
  });
  node.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    const before = middle(), wide = fingers.size === 2 ? spread() : 0;
    fingers.set(event.pointerId, event.clientX);
    view.move((before - middle()) / width());
    if (wide) {
      const share = (middle() - node.getBoundingClientRect().left) / width();
      view.zoom(wide / spread(), view.from + share * (view.to - view.from));
    }
  });
  for (const end of ["pointerup", "pointercancel"]) node.addEventListener(end, (event) => fingers.delete(event.pointerId));
  // A finger makes browsers send mouse events too; the chart would take them for a selection.
  node.addEventListener("touchend", (event) => event.cancelable && event.preventDefault(), { passive: false });
}
