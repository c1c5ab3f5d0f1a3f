// Correcting a line in place: its piece of the picture above, its text below, and other readings to choose from. The others
// come from the service itself: the piece is read once more by each of its recognisers.

import * as api from "./api.js";
import { icon, make } from "./elements.js";
import { percent, t } from "./words.js";

const PIECE_HEIGHT = 64; // what recognisers like; a smaller piece is drawn larger
const MARGIN_SHARE = 0.15;
const OTHERS = ["accurate", "fast"];

// `done(text)` with the corrected text, or null when nothing is to change; then `left(step)`, to the line before or behind.
export function openEditor(cell, line, before, piece, { done, left }) {
  const control = new AbortController();
  const field = make("textarea", { class: "form-control edit-text", rows: "1", lang: "zh", "aria-label": t("edit_line"), spellcheck: "false" });
  field.value = line.text;
  const others = make("div", { class: "edit-others", role: "group", "aria-label": t("other_readings") });
  const close = (text, step = 0) => {
    control.abort();
    editor.remove();
    cell.classList.remove("editing");
    if (text !== null && text !== line.text) done(text);
    left(step);
  };
  const offer = (text, told) => {
    if (text === field.value && !others.childElementCount) return;
    if ([...others.querySelectorAll("button")].some((button) => button.dataset.text === text)) return;
    const use = () => {
      field.value = text;
      field.focus();
      grow();
    };
    others.append(make("button", { type: "button", class: "btn btn-sm btn-quiet", data: { text }, on: { click: use } },
      make("span", { text, lang: "zh" }), make("small", { class: "quiet", text: told })));
  };
  const grow = () => {
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight + 2}px`;
  };
  const save = make("button", { type: "button", class: "btn btn-sm btn-primary", on: { click: () => close(clean(field.value)) } }, icon("check-lg"), ` ${t("keep_edit")}`);
  const cancel = make("button", { type: "button", class: "btn btn-sm btn-quiet", text: t("leave_edit"), on: { click: () => close(null) } });
  const waiting = make("span", { class: "quiet edit-waiting", role: "status" });
  const editor = make("div", { class: "editor" }, piece, field, others, make("div", { class: "edit-buttons" }, save, cancel, waiting));
  field.addEventListener("input", grow);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return; // Enter then ends a word of an input method, not the line
    if (event.key === "Enter") {
      event.preventDefault();
      close(clean(field.value), event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") {
      event.preventDefault();
      close(null);
    }
    event.stopPropagation();
  });
  cell.classList.add("editing");
  cell.append(editor);
  if (before !== undefined && before !== line.text) offer(before, t("as_read"));
  grow();
  field.focus();
  field.select();
  if (piece) readAgain(piece, line, offer, waiting, control.signal);
}

const clean = (text) => text.replace(/\s*\n\s*/g, " ").trim();

async function readAgain(piece, line, offer, waiting, signal) {
  waiting.textContent = t("asking_others");
  try {
    const blob = await new Promise((resolve) => piece.toBlob(resolve, "image/png"));
    if (!blob) return;
    for (const mode of OTHERS) {
      const answer = await api.predict(new File([blob], "line.png"), { mode, orientation: "none", no_store: "true" }, signal);
      const text = answer.pages.flatMap((page) => page.lines.map((one) => one.text)).join(" ");
      if (text && text !== line.text) offer(text, percent(answer.confidence));
    }
  } catch {
    // Others are a help, not a need: offline, busy, or without the small recogniser there are none.
  } finally {
    waiting.textContent = "";
  }
}

// Cut a line out of the picture, upright, for the editor; null where the page has no picture.
export function pieceOf(line, image, page, rotation) {
  if (!image?.naturalWidth) return null;
  const [start, along, , down] = line.polygon;
  const length = Math.hypot(along[0] - start[0], along[1] - start[1]);
  const depth = Math.hypot(down[0] - start[0], down[1] - start[1]);
  const margin = Math.min(length, depth) * MARGIN_SHARE;
  const scale = Math.max(1, PIECE_HEIGHT / Math.max(1, Math.min(length, depth)));
  const most = 2400 / Math.max(length, depth);
  const by = Math.min(scale, Math.max(most, 0.05));
  const canvas = make("canvas", { class: line.vertical ? "piece upright" : "piece", role: "img", "aria-label": t("piece") });
  canvas.width = Math.max(1, Math.round((length + 2 * margin) * by));
  canvas.height = Math.max(1, Math.round((depth + 2 * margin) * by));
  const brush = canvas.getContext("2d");
  brush.fillStyle = "#fff";
  brush.fillRect(0, 0, canvas.width, canvas.height);
  brush.scale(by, by);
  brush.translate(margin, margin);
  brush.rotate(-Math.atan2(along[1] - start[1], along[0] - start[0]));
  brush.translate(-start[0], -start[1]);
  const turned = rotation % 180 !== 0;
  const turns = { 90: [page.width, 0], 180: [page.width, page.height], 270: [0, page.height] }[rotation];
  if (turns) brush.translate(...turns);
  brush.rotate((rotation * Math.PI) / 180);
  brush.drawImage(image, 0, 0, turned ? page.height : page.width, turned ? page.width : page.height);
  return canvas;
}
