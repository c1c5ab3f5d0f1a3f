// One page as it lies on the stage: the picture upright as it was read, a frame around each line, and the line's letters
// over it, unseen, to be selected like any text.

import { drawn, make } from "./elements.js";
import { isDoubtful } from "./documents.js";

const LETTER_HEIGHT = 0.78; // of a line's frame, which has room above and below
const measure = document.createElement("canvas").getContext("2d");
const FACE = "system-ui, sans-serif";

// `told`: {enter(index), leave(), press(index)}. Gives {layer, mark, doubt, text, crop}.
export function pageView(page, picture, told) {
  const frames = drawn("svg", { class: "frames", viewBox: `0 0 ${page.width} ${page.height}`, "aria-hidden": "true" });
  const letters = make("div", { class: "letters" });
  const parts = page.lines.map((line, index) => {
    const frame = drawn("polygon", { points: line.polygon.map((corner) => corner.join(",")).join(" ") });
    const words = lettersOf(line);
    frames.append(frame);
    letters.append(words);
    for (const part of [frame, words]) {
      part.addEventListener("pointerenter", () => told.enter(index));
      part.addEventListener("pointerleave", () => told.leave());
      part.addEventListener("click", () => told.press(index));
    }
    return { frame, words };
  });
  letters.addEventListener("copy", copyByLines);
  const extra = drawn("g");
  frames.append(extra);
  const layer = make("div", { class: picture.drawn ? "sheet-layer" : "sheet-layer undrawn" });
  layer.style.width = `${page.width}px`;
  layer.style.height = `${page.height}px`;
  layer.append(upright(picture, page), frames, letters);
  return {
    layer,
    mark: (name, index) => parts.forEach(({ frame, words }, at) => {
      frame.classList.toggle(name, at === index);
      words.classList.toggle(name, at === index);
    }),
    doubt: (lines, threshold, changed) => parts.forEach(({ frame }, at) => {
      frame.classList.toggle("doubtful", isDoubtful(lines[at], threshold));
      frame.classList.toggle("edited", changed(at));
    }),
    text: (index, line) => fill(parts[index].words, line),
    // Outline any place of the page: a field's, a cell's.
    outline: (polygon) => extra.replaceChildren(...(polygon ? [drawn("polygon", { class: "outline", points: polygon.map((corner) => corner.join(",")).join(" ") })] : [])),
  };
}

// Letters are placed one by one, so the browser sees no rows in them: what is copied gets a row a line here.
function copyByLines(event) {
  const selected = getSelection().getRangeAt(0).cloneContents();
  if (!selected.childElementCount) return;
  event.preventDefault();
  event.clipboardData.setData("text/plain", [...selected.children].map((words) => words.textContent).join("\n"));
}

function upright(picture, page) {
  if (!picture.image) return make("div", { class: "sheet-picture" });
  const { image } = picture;
  image.className = "sheet-picture";
  image.draggable = false;
  const turned = picture.rotation % 180 !== 0;
  image.style.width = `${turned ? page.height : page.width}px`;
  image.style.height = `${turned ? page.width : page.height}px`;
  image.style.transform = turning(picture.rotation, page);
  return image;
}

// Turned clockwise about its corner, then moved back onto the page.
export function turning(rotation, { width, height }) {
  return { 0: "none", 90: `translateX(${width}px) rotate(90deg)`, 180: `translate(${width}px, ${height}px) rotate(180deg)`, 270: `translateY(${height}px) rotate(270deg)` }[rotation];
}

function lettersOf(line) {
  const words = make("div", { class: line.vertical ? "upright" : "", lang: "zh" });
  fill(words, line);
  return words;
}

// Letters are set at the line's height and stretched to its length, so that a selection follows the picture.
function fill(words, line) {
  const [start, along, , down] = line.polygon;
  const length = Math.hypot(along[0] - start[0], along[1] - start[1]);
  const depth = Math.hypot(down[0] - start[0], down[1] - start[1]);
  const angle = Math.atan2(along[1] - start[1], along[0] - start[0]);
  words.textContent = line.text;
  const size = Math.max(1, (line.vertical ? length : depth) * LETTER_HEIGHT);
  measure.font = `100px ${FACE}`;
  const natural = line.vertical ? [...line.text].length * size : (measure.measureText(line.text).width * size) / 100;
  const stretch = natural ? (line.vertical ? depth : length) / natural : 1;
  words.style.fontSize = `${size}px`;
  words.style.lineHeight = `${line.vertical ? length : depth}px`;
  words.style.transform = `translate(${start[0]}px, ${start[1]}px) rotate(${angle}rad) ${line.vertical ? `scaleY(${stretch})` : `scaleX(${stretch})`}`;
}

export function boundsOf(polygon) {
  const xs = polygon.map(([x]) => x), ys = polygon.map(([, y]) => y);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}
