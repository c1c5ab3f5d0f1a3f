// The page's behaviour: take a picture, send it to the public API, show its text and the frames over it.
// Recognised text is only ever put in with textContent: what a picture says is never markup.
"use strict";

const texts = JSON.parse(document.body.dataset.texts);
const maxBytes = Number(document.body.dataset.maxBytes);
const find = (id) => document.getElementById(id);
const form = find("form"), drop = find("drop"), chooser = find("file"), problem = find("problem");
const pages = find("pages"), lines = find("lines"), state = find("state"), copy = find("copy"), hint = find("hint");
const waiting = find("waiting"), saving = find("saving"), save = find("save"), format = find("format");

const DOUBTFUL = 0.5;  // lines more likely wrong than right are marked
const CANVAS_SIDE = 2400;  // the longest side drawn; more would only cost memory, the frames are vectors
const SVG = "http://www.w3.org/2000/svg";

let current = null;  // the picture last taken: {file, text}
let running = null;  // the AbortController of the request under way

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

function megabytes(bytes) {
  return (bytes / 1e6).toLocaleString(texts.html_language, { maximumFractionDigits: 1 });
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function showProblem(summary, detail) {
  problem.replaceChildren(element("strong", "", `${texts.failed}: `), element("span", "", summary));
  if (detail && detail !== summary) problem.append(element("div", "small mt-1", detail));
  problem.hidden = false;
}

function clear() {
  problem.hidden = true;
  hint.hidden = saving.hidden = true;
  waiting.hidden = false;
  lines.replaceChildren();
  pages.replaceChildren();
  copy.disabled = true;
  state.textContent = "";
}

// One picture, from taking it to showing it

async function take(file) {
  running?.abort();
  running = null;
  clear();
  current = { file, text: "" };
  find("name").textContent = file.name || "";
  if (file.size > maxBytes) {
    current = null;
    showProblem(fill(texts.too_large, { size: megabytes(file.size), megabytes: megabytes(maxBytes) }));
    return;
  }
  await read();
}

async function read() {
  const taken = current;
  running?.abort();
  const request = running = new AbortController();
  problem.hidden = true;
  copy.disabled = true;
  state.replaceChildren(element("span", "spinner-border spinner-border-sm me-2"), texts.reading);
  try {
    const answer = await send(taken.file, request.signal);
    if (request !== running) return;
    if (answer.success) await show(taken, answer, () => request === running);
    else refuse(answer);
  } catch (error) {
    if (request !== running || error.name === "AbortError") return;
    clear();
    showProblem(texts.unreachable, error.message);
  }
}

async function send(file, signal) {
  return (await post(file, signal)).json();
}

function post(file, signal, asFormat) {
  const body = new FormData(form);
  body.delete("file");
  body.append("file", file, file.name || "picture");
  if (asFormat) body.append("format", asFormat);
  return fetch(document.body.dataset.predict, { method: "POST", body, signal });
}

// The service reads the picture again for a file: what the page shows is less than what a file holds

async function saveAs() {
  const taken = current, suffix = format.selectedOptions[0].dataset.suffix;
  save.disabled = true;
  try {
    const response = await post(taken.file, undefined, format.value);
    if (!response.ok) {
      const answer = await response.json();
      showProblem(texts[`error.${answer.code}`] ?? answer.error, answer.error);
      return;
    }
    const link = element("a");
    link.href = URL.createObjectURL(await response.blob());
    link.download = `${(taken.file.name || "picture").replace(/\.[^.]*$/, "")}${suffix}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    problem.hidden = true;
  } catch (error) {
    showProblem(texts.unreachable, error.message);
  } finally {
    save.disabled = false;
  }
}

function refuse(answer) {
  clear();
  showProblem(texts[`error.${answer.code}`] ?? answer.error, answer.error);
}

async function show(taken, answer, stillWanted) {
  const bitmap = await createImageBitmap(taken.file).catch(() => null);
  if (!stillWanted()) return;
  clear();
  taken.text = answer.text;
  waiting.hidden = true;
  let count = 0;
  answer.pages.forEach((page, index) => {
    if (answer.pages.length > 1) {
      lines.append(element("li", "heading list-group-item", fill(texts.page, { number: page.number })));
    }
    const frames = showPicture(page, index === 0 ? bitmap : null);
    page.lines.forEach((line) => showLine(line, frames));
    count += page.lines.length;
  });
  if (!bitmap) pages.prepend(element("p", "small text-body-secondary", texts.no_preview));
  bitmap?.close();
  const confidence = Math.round(answer.confidence * 100);
  state.textContent = count
    ? fill(texts.summary, { lines: count, milliseconds: Math.round(answer.processing_time_ms), confidence })
    : texts.empty;
  copy.disabled = hint.hidden = !count;
  saving.hidden = false;
}

// The picture, upright as it was read, and a frame and a row for each line

function showPicture(page, bitmap) {
  const holder = element("div", bitmap ? "page" : "page blank");
  if (bitmap) holder.append(upright(page, bitmap));
  const frames = document.createElementNS(SVG, "svg");
  frames.setAttribute("viewBox", `0 0 ${page.width} ${page.height}`);
  frames.setAttribute("preserveAspectRatio", "none");
  frames.setAttribute("aria-hidden", "true");
  holder.append(frames);
  pages.append(holder);
  return frames;
}

function upright(page, bitmap) {
  const scale = Math.min(1, CANVAS_SIDE / Math.max(page.width, page.height));
  const canvas = element("canvas");
  canvas.width = Math.max(1, Math.round(page.width * scale));
  canvas.height = Math.max(1, Math.round(page.height * scale));
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", texts.picture);
  const brush = canvas.getContext("2d");
  const turned = page.rotation % 180 !== 0;
  const width = turned ? canvas.height : canvas.width, height = turned ? canvas.width : canvas.height;
  brush.fillStyle = "#fff";
  brush.fillRect(0, 0, canvas.width, canvas.height);
  brush.translate(canvas.width / 2, canvas.height / 2);
  brush.rotate(page.rotation * Math.PI / 180);
  brush.drawImage(bitmap, -width / 2, -height / 2, width, height);
  return canvas;
}

function showLine(line, frames) {
  const frame = document.createElementNS(SVG, "polygon");
  frame.setAttribute("points", line.polygon.map((corner) => corner.join(",")).join(" "));
  const row = element("li", "list-group-item d-flex align-items-baseline");
  row.append(element("span", "", line.text), element("small", "", `${Math.round(line.confidence * 100)}%`));
  for (const part of [frame, row]) {
    part.classList.toggle("doubtful", line.confidence < DOUBTFUL);
    part.addEventListener("pointerenter", () => mark(frame, row));
    part.addEventListener("click", () => {
      mark(frame, row);
      (part === row ? frame : row).scrollIntoView({ block: "nearest", behavior: "smooth" });
    });
  }
  frames.append(frame);
  lines.append(row);
}

function mark(...parts) {
  document.querySelectorAll(".active").forEach((part) => part.classList.remove("active"));
  parts.forEach((part) => part.classList.add("active"));
}

// Copying; outside https and localhost browsers have no clipboard API, so the old way stays as the second try

async function copyText() {
  try {
    await navigator.clipboard.writeText(current.text);
    state.textContent = texts.copied;
  } catch {
    state.textContent = copyFromField(current.text) ? texts.copied : texts.copy_failed;
  }
}

function copyFromField(text) {
  const field = element("textarea", "visually-hidden");
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  copy.focus();
  return done;
}

// Choosing, dropping, pasting

find("formats").textContent = fill(texts.formats, { megabytes: megabytes(maxBytes) });
form.addEventListener("submit", (event) => event.preventDefault());
form.querySelectorAll("select").forEach((choice) => choice.addEventListener("change", () => current && read()));
copy.addEventListener("click", copyText);
save.addEventListener("click", saveAs);
chooser.addEventListener("change", () => {
  if (chooser.files.length) take(chooser.files[0]);
  chooser.value = "";
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) drop.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  if (event.dataTransfer.files.length) take(event.dataTransfer.files[0]);
});
document.addEventListener("paste", (event) => {
  if (event.clipboardData.files.length) {
    event.preventDefault();
    take(event.clipboardData.files[0]);
  }
});
