// The viewer: a stage on which one page lies that is moved and scaled by transforms alone, so that a large photo pans
// without being painted again. Mouse, wheel, two fingers, keys.
//
// Takes the stage and a layer whose natural size is given in pixels of the page; knows nothing of what lies on it.

const MOST = 12;
const MARGIN = 16;
const STEP = 1.25;
const WHEEL = 0.0016;
const SETTLED_MILLISECONDS = 160;

export class Viewer {
  constructor(stage, changed) {
    this.stage = stage;
    this.changed = changed;
    this.layer = null;
    this.width = this.height = 1;
    this.scale = 1;
    this.x = this.y = 0;
    this.fitted = true;
    this.pointers = new Map();
    this.listen();
    new ResizeObserver(() => (this.fitted ? this.fit() : this.apply())).observe(stage);
  }

  show(layer, width, height) {
    Object.assign(this, { layer, width, height });
    this.stage.replaceChildren(layer);
    this.fit();
  }

  clear() {
    this.layer = null;
    this.stage.replaceChildren();
  }

  get fitScale() {
    const { clientWidth, clientHeight } = this.stage;
    return Math.max(0.01, Math.min((clientWidth - 2 * MARGIN) / this.width, (clientHeight - 2 * MARGIN) / this.height, 2));
  }

  fit() {
    this.fitted = true;
    this.scale = this.fitScale;
    this.x = (this.stage.clientWidth - this.width * this.scale) / 2;
    this.y = (this.stage.clientHeight - this.height * this.scale) / 2;
    this.apply();
  }

  zoom(factor, x = this.stage.clientWidth / 2, y = this.stage.clientHeight / 2) {
    const scale = Math.min(MOST, Math.max(this.fitScale / 2, this.scale * factor));
    const by = scale / this.scale;
    this.fitted = false;
    this.x = x - (x - this.x) * by;
    this.y = y - (y - this.y) * by;
    this.scale = scale;
    this.apply();
  }

  pan(dx, dy) {
    this.fitted = false;
    this.x += dx;
    this.y += dy;
    this.apply();
  }

  // Bring a box of the page (left, top, right, bottom) into sight; come nearer if it is too small to be read there.
  reveal([left, top, right, bottom]) {
    const readable = 14 / Math.max(1, Math.min(bottom - top, right - left));
    if (this.scale < readable) {
      const scale = Math.min(readable, (this.stage.clientWidth - 4 * MARGIN) / (right - left), MOST);
      if (scale > this.scale * 1.05) this.zoom(scale / this.scale);
    }
    const seen = (start, end, offset, size) => {
      const from = start * this.scale + offset, to = end * this.scale + offset;
      if (from >= MARGIN && to <= size - MARGIN) return 0;
      return size / 2 - (from + to) / 2;
    };
    const dx = seen(left, right, this.x, this.stage.clientWidth), dy = seen(top, bottom, this.y, this.stage.clientHeight);
    this.pan(dx, dy);
    this.x = filled(this.x, this.width * this.scale, this.stage.clientWidth);
    this.y = filled(this.y, this.height * this.scale, this.stage.clientHeight);
  }

  apply() {
    if (this.frame || !this.layer) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      if (!this.layer) return;
      this.keepInSight();
      this.layer.style.transform = `translate(${this.x.toFixed(2)}px, ${this.y.toFixed(2)}px) scale(${this.scale.toFixed(5)})`;
      this.changed(this.scale);
      this.hurry();
    });
  }

  keepInSight() {
    const kept = (offset, length, size) => Math.min(size - 48, Math.max(48 - length, offset));
    this.x = kept(this.x, this.width * this.scale, this.stage.clientWidth);
    this.y = kept(this.y, this.height * this.scale, this.stage.clientHeight);
  }

  // While it moves the page is one texture that is only shifted; once it rests it is painted sharp at its new size.
  hurry() {
    this.layer.classList.add("moving");
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.layer?.classList.remove("moving"), SETTLED_MILLISECONDS);
  }

  listen() {
    const { stage } = this;
    stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      const [x, y] = this.at(event);
      const lines = event.deltaMode === 1 ? 16 : 1;
      this.zoom(Math.exp(-event.deltaY * lines * WHEEL * (event.ctrlKey ? 4 : 1)), x, y);
    }, { passive: false });
    stage.addEventListener("pointerdown", (event) => this.press(event));
    stage.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, (event) => this.release(event));
    stage.addEventListener("dblclick", (event) => {
      if (!event.target.closest(".letters > *")) this.zoom(2, ...this.at(event));
    });
    stage.addEventListener("keydown", (event) => this.key(event));
  }

  at(event) {
    const box = this.stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  press(event) {
    if (!this.layer || (event.pointerType === "mouse" && event.button > 1)) return;
    // A mouse on text selects it; beside it, with the middle button, or with a finger, the page is moved.
    const onText = event.pointerType === "mouse" && event.button === 0 && event.target.closest(".letters > *");
    if (onText) return;
    this.pointers.set(event.pointerId, this.at(event));
    this.moved = 0;
    if (event.pointerType === "mouse") event.preventDefault();
    this.stage.focus({ preventScroll: true });
  }

  drag(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = this.at(event);
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    this.pointers.set(event.pointerId, now);
    if (others.length) {
      const [other] = others;
      const spread = (place) => Math.hypot(place[0] - other[0], place[1] - other[1]) || 1;
      this.zoom(spread(now) / spread(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    }
    const share = others.length ? 0.5 : 1;
    this.moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (this.moved > 4 && !this.stage.hasPointerCapture(event.pointerId)) {
      this.stage.setPointerCapture(event.pointerId);
      this.stage.classList.add("dragging");
    }
    this.pan((now[0] - before[0]) * share, (now[1] - before[1]) * share);
  }

  release(event) {
    this.pointers.delete(event.pointerId);
    if (!this.pointers.size) this.stage.classList.remove("dragging");
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const far = 60;
    const acts = {
      "+": () => this.zoom(STEP), "=": () => this.zoom(STEP), "-": () => this.zoom(1 / STEP), 0: () => this.fit(),
      ArrowLeft: () => this.pan(far, 0), ArrowRight: () => this.pan(-far, 0),
      ArrowUp: () => this.pan(0, far), ArrowDown: () => this.pan(0, -far),
    };
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  }
}

// Leave no empty room beside a page that is larger than the stage, and a smaller one in the middle.
function filled(offset, length, size) {
  if (length + 2 * MARGIN <= size) return (size - length) / 2;
  return Math.min(MARGIN, Math.max(size - length - MARGIN, offset));
}

export const ZOOM_STEP = STEP;
