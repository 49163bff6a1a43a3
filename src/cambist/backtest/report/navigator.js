// The whole history in one strip, with the range shown as a window on it: drag it, pull its edges, or click beside it.

class Navigator {
  constructor(host, view, line) {
    this.view = view;
    this.line = line;
    this.strip = host.appendChild(element("div", "navigator"));
    this.canvas = this.strip.appendChild(element("canvas"));
    this.canvas.setAttribute("aria-hidden", "true");
    this.window = this.strip.appendChild(element("div", "window"));
    this.edges = ["from", "to"].map((side) => this.edge(side));
    this.strip.addEventListener("pointerdown", (event) => this.grab(event));
    view.watch(() => this.place());
    new ResizeObserver(() => this.redraw()).observe(this.strip);
    this.place();
  }

  edge(side) {
    const handle = this.window.appendChild(element("div", "edge " + side));
    handle.tabIndex = 0;
    handle.setAttribute("role", "slider");
    handle.setAttribute("aria-label", say("range." + side));
    handle.setAttribute("aria-valuemin", "0");
    handle.setAttribute("aria-valuemax", "1000");
    handle.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
      if (!by) return;
      event.preventDefault();
      const step = (this.view.to - this.view.from) * (event.shiftKey ? 0.25 : 0.05) * by;
      if (side === "from") this.view.set(Math.max(this.view.first, this.view.from + step), this.view.to);
      else this.view.set(this.view.from, Math.min(this.view.last, this.view.to + step));
    });
    return handle;
  }

  get perPixel() {
    return (this.view.last - this.view.first) / Math.max(1, this.strip.clientWidth);
  }

  place() {
    const { view } = this;
    const whole = view.last - view.first;
    const share = (time) => (time - view.first) / whole;
    this.window.style.left = `${share(view.from) * 100}%`;
    this.window.style.width = `max(14px, ${(share(view.to) - share(view.from)) * 100}%)`;
    this.edges.forEach((edge, i) => {
      const time = i ? view.to : view.from;
      edge.setAttribute("aria-valuenow", String(Math.round(share(time) * 1000)));
      edge.setAttribute("aria-valuetext", minute(time));
    });
  }

  grab(event) {
    if (event.button) return;
    event.preventDefault();
    const { view, perPixel } = this;
    const left = this.strip.getBoundingClientRect().left;
    const part = event.target.classList;
    if (!part.contains("edge") && event.target !== this.window) {
      const at = view.first + (event.clientX - left) * perPixel, half = (view.to - view.from) / 2;
      view.set(at - half, at + half);
    }
    const { from, to } = view;
    const start = event.clientX;
    this.strip.setPointerCapture(event.pointerId);
    const move = (moved) => {
      const by = (moved.clientX - start) * perPixel;
      if (part.contains("from")) view.set(Math.min(Math.max(view.first, from + by), to - view.least), to);
      else if (part.contains("to")) view.set(from, Math.max(Math.min(view.last, to + by), from + view.least));
      else view.set(from + by, to + by);
    };
    const end = () => {
      this.strip.removeEventListener("pointermove", move);
      for (const name of ["pointerup", "pointercancel"]) this.strip.removeEventListener(name, end);
    };
    this.strip.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) this.strip.addEventListener(name, end);
  }

  redraw() {
    const { canvas, view } = this;
    const wide = this.strip.clientWidth, tall = this.strip.clientHeight, ratio = devicePixelRatio;
    if (!wide) return;
    canvas.width = wide * ratio;
    canvas.height = tall * ratio;
    const [low, high] = this.line.extent(view.first, view.last, wide) ?? [0, 1];
    const room = (high - low || 1) * 0.14;
    const scales = { y: { min: low - room, max: high + room } };
    const whole = { from: view.first, to: view.last };
    const pen = new Pen({ ctx: canvas.getContext("2d"), bbox: { left: 0, top: 0, width: canvas.width, height: canvas.height }, scales }, whole);
    pen.area(this.line, "muted", low - room, { width: 1, strong: 0.22, weak: 0.06 });
  }
}
