// The lines of a page as a list beside its picture: a grid of rows that the arrow keys walk through, each with how sure it
// is, which model read it, what it was before somebody corrected it, and what can be done with it.

import { characters, isDoubtful } from "./documents.js";
import { icon, iconButton, make } from "./elements.js";
import { percent, t, has } from "./words.js";

const MODELS = [[/^text-layer$|^OFD$|^ofd|einvoice|xml/i, "file"], [/crnn/i, "first"], [/./, "strong"]];

// `told`: {enter, leave, choose, edit, copy, revert} each with a line's index. Gives {root, ...}.
export function linesView(page, told) {
  const root = make("div", { class: "line-list", role: "grid", "aria-label": t("lines"), "aria-colcount": "1" });
  if (!page.lines.length) return emptyView(root, page);
  const rows = page.lines.map((line, index) => rowOf(line, index, told));
  const placed = new Set();
  for (const block of page.blocks) {
    const group = make("div", { role: "rowgroup", class: `block ${block.kind}` });
    if (has(`block.${block.kind}`)) group.append(make("div", { class: "block-kind", "aria-hidden": "true", text: t(`block.${block.kind}`) }));
    for (const index of block.lines) {
      group.append(rows[index].row);
      placed.add(index);
    }
    root.append(group);
  }
  const rest = rows.filter((_, index) => !placed.has(index)).map(({ row }) => row);
  if (rest.length) root.append(make("div", { role: "rowgroup", class: "block" }, ...rest));
  const order = [...page.blocks.flatMap((block) => block.lines), ...page.lines.keys()].filter((index, at, all) => all.indexOf(index) === at);
  const view = new LinesView(root, rows, order);
  root.addEventListener("keydown", (event) => view.key(event, told));
  rows[order[0]].row.tabIndex = 0;
  return view;
}

function emptyView(root, page) {
  root.removeAttribute("role");
  root.removeAttribute("aria-colcount");
  root.removeAttribute("aria-label");
  root.append(make("p", { class: "nothing", text: t("empty") }), ...page.warnings.map(warningOf));
  return { root, order: [], mark() {}, hover() {}, show() {}, focus() {}, rowAt: () => null };
}

const warningOf = (warning) => make("p", { class: "quiet", text: warning });

class LinesView {
  constructor(root, rows, order) {
    Object.assign(this, { root, rows, order });
    this.current = order[0];
  }

  rowAt(index) {
    return this.rows[index]?.row;
  }

  // Draw a line anew: what it says now, how doubtful it is, what it said before.
  show(index, line, threshold, change) {
    fill(this.rows[index], line, threshold, change);
  }

  mark(index) {
    this.rows.forEach(({ row }, at) => {
      row.classList.toggle("active", at === index);
      row.setAttribute("aria-selected", String(at === index));
      row.tabIndex = at === (index ?? this.current) ? 0 : -1;
    });
    if (index === null) return;
    this.current = index;
    this.rows[index].row.scrollIntoView({ block: "nearest" });
  }

  hover(index) {
    this.rows.forEach(({ row }, at) => row.classList.toggle("hovered", at === index));
  }

  focus(index) {
    this.rows[index]?.row.focus({ preventScroll: false });
  }

  key(event, told) {
    if (event.target.closest("input, textarea, button") || event.altKey || event.ctrlKey || event.metaKey) return;
    const at = this.order.indexOf(this.current);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: this.order.length - 1 }[event.key];
    const acts = { Enter: told.edit, F2: told.edit, c: told.copy };
    if (next !== undefined && this.order[next] !== undefined) {
      event.preventDefault();
      told.choose(this.order[next]);
      this.focus(this.order[next]);
    } else if (acts[event.key]) {
      event.preventDefault();
      acts[event.key](this.current);
    }
  }
}

function rowOf(line, index, told) {
  const text = make("span", { class: line.vertical ? "line-text was-upright" : "line-text", lang: "zh" });
  const facts = make("span", { class: "line-facts" });
  const before = make("span", { class: "line-before" });
  const actions = make("span", { class: "line-actions" },
    iconButton("pencil", t("edit_line"), () => told.edit(index)),
    iconButton("copy", t("copy_line"), () => told.copy(index)));
  const cell = make("div", { role: "gridcell", class: "line-cell" }, text, before, facts, actions);
  const row = make("div", { role: "row", class: "line", tabindex: "-1", "aria-selected": "false" }, cell);
  row.addEventListener("pointerenter", () => told.enter(index));
  row.addEventListener("pointerleave", () => told.leave());
  row.addEventListener("click", (event) => {
    if (!event.target.closest("button, input, textarea")) told.choose(index);
  });
  row.addEventListener("dblclick", (event) => {
    if (!event.target.closest("button, input, textarea")) told.edit(index);
  });
  return { row, cell, text, facts, before, revert: () => told.revert(index) };
}

function fill(parts, line, threshold, change) {
  const doubtful = isDoubtful(line, threshold);
  parts.row.classList.toggle("doubtful", doubtful);
  parts.row.classList.toggle("edited", Boolean(change));
  parts.text.replaceChildren(...runs(line, change ? 0 : threshold));
  parts.facts.replaceChildren(...(change ? [editedFact()] : readFacts(line, doubtful)));
  const was = change ? [make("del", { text: change.before || t("nothing") }), iconButton("arrow-counterclockwise", t("revert"), parts.revert)] : [];
  parts.before.replaceChildren(...was);
}

function editedFact() {
  return make("span", { class: "chip edited" }, icon("pencil"), make("span", { text: t("edited") }));
}

function readFacts(line, doubtful) {
  const sure = make("span", { class: doubtful ? "sure doubtful" : "sure", title: t("confidence") });
  if (doubtful) sure.append(icon("exclamation-triangle-fill"));
  sure.append(make("span", { class: "visually-hidden", text: `${doubtful ? t("doubtful") : t("confidence")} ` }), percent(line.confidence));
  const [, kind] = MODELS.find(([pattern]) => pattern.test(line.model || "x"));
  return [make("span", { class: `chip model-${kind}`, title: `${t(`model.${kind}.what`)} (${line.model})`, text: t(`model.${kind}`) }), sure];
}

// The characters, those in doubt marked: underlined and named, not by colour alone.
function runs(line, threshold) {
  const found = [];
  let plain = "";
  for (const { text, confidence } of characters(line)) {
    if (confidence === null || confidence >= threshold) {
      plain += text;
      continue;
    }
    if (plain) found.push(plain);
    plain = "";
    found.push(make("mark", { class: "doubt", title: `${t("confidence")} ${percent(confidence)}`, text }));
  }
  if (plain) found.push(plain);
  return found.length ? found : [" "];
}
