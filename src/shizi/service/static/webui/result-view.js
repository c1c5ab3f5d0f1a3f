// What was read of the selected file: its page on the stage, its lines, tables and fields beside it, and every correction
// made there. Holds which page is shown and which line is chosen; nothing else on this page has to know.

import { changes, corrected, doubtfulIn, inForce, isDoubtful, linesIn } from "./documents.js";
import { find, make } from "./elements.js";
import { copy } from "./exporting.js";
import { showFields } from "./fields-view.js";
import * as items from "./items.js";
import { openEditor, pieceOf } from "./line-editor.js";
import { linesView } from "./lines-view.js";
import { notice } from "./notices.js";
import { boundsOf, pageView } from "./page-view.js";
import { pictureOf } from "./pictures.js";
import { teach } from "./teaching.js";
import { showTables } from "./tables-view.js";
import { Viewer, ZOOM_STEP } from "./viewer.js";
import { count, percent, seconds, t } from "./words.js";
import { stateWords } from "./queue-view.js";

const DOUBT = "shizi.doubt";
const DEFAULT_DOUBT = 80;

let item = null;
let result = null; // as read
let read = null; // with corrections
let number = 0; // of the page shown, from 0
let view = null; // the page on the stage
let lines = null; // its list
let picture = null;
let chosen = null; // index of the line chosen on the page
let drawing = 0; // the newest call of `show`; older ones that come late are dropped
let viewer = null;

const page = () => read?.pages[number];
const threshold = () => Number(find("doubt").value) / 100;

export function setUpResult() {
  viewer = new Viewer(find("stage"), (scale) => (find("zoom-level").textContent = percent(scale)));
  items.on("selected", (selected) => open(selected));
  items.on("changed", (changed) => changed === item && refresh());
  find("zoom-in").addEventListener("click", () => viewer.zoom(ZOOM_STEP));
  find("zoom-out").addEventListener("click", () => viewer.zoom(1 / ZOOM_STEP));
  find("zoom-fit").addEventListener("click", () => viewer.fit());
  toggle("frames", "no-frames");
  toggle("selecting", "no-selecting");
  find("previous-page").addEventListener("click", () => turn(number - 1));
  find("next-page").addEventListener("click", () => turn(number + 1));
  find("page").addEventListener("change", () => turn(Number(find("page").value) - 1));
  find("undo").addEventListener("click", undo);
  find("next-doubt").addEventListener("click", nextDoubt);
  setUpDoubt();
  document.addEventListener("keydown", keys);
}

function toggle(id, name) {
  find(id).addEventListener("click", () => {
    const off = find("stage").classList.toggle(name);
    find(id).setAttribute("aria-pressed", String(!off));
  });
}

function setUpDoubt() {
  const slider = find("doubt");
  try {
    slider.value = localStorage.getItem(DOUBT) ?? DEFAULT_DOUBT;
  } catch {
    slider.value = DEFAULT_DOUBT;
  }
  const say = () => (find("doubt-value").textContent = `${slider.value}%`);
  slider.addEventListener("input", () => {
    say();
    drawLines();
    drawTables();
  });
  slider.addEventListener("change", () => {
    try {
      localStorage.setItem(DOUBT, slider.value);
    } catch {
      // it holds until the page is left
    }
  });
  say();
}

// Which file, which page

async function open(selected) {
  item = selected ?? null;
  result = read = view = lines = null;
  number = 0;
  chosen = null;
  viewer.clear();
  await show();
}

let shownVersion = "";

// What is shown changes with the result; before there is one, with the state.
const versionOf = (one) => [one.id, one.version ?? 0, one.tries, one.version ? "" : one.state + (one.error?.code ?? "")].join(":");

// A page came in, or the state changed: draw anew only what is different.
async function refresh() {
  const version = versionOf(item);
  if (version !== shownVersion) await show();
  else head();
}

async function show() {
  const mine = ++drawing;
  shownVersion = item ? versionOf(item) : "";
  head();
  if (!item) return clear("");
  const before = result;
  const loaded = item.version && (item.state !== "waiting" || item.pagesRead) ? await items.resultOf(item) : null;
  if (mine !== drawing) return;
  const samePage = before && loaded && before.pages[number] && JSON.stringify(before.pages[number]) === JSON.stringify(loaded.pages[number]);
  result = loaded;
  read = corrected(result, item);
  if (samePage && view) { // without a view its picture was still on the way, and this call has ended that
    head();
    drawFields();
    return;
  }
  await drawPage(mine);
}

async function drawPage(mine = ++drawing) {
  const here = page();
  view = null; // what lies on the stage is of another page until this one's picture is there
  find("stage").classList.add("loading");
  head();
  if (result) drawResult();
  else waitingPanes();
  try {
    picture = await pictureOf(item, result, here);
  } catch {
    picture = { image: null, rotation: 0, drawn: false }; // unreachable: the letters alone are shown
  }
  if (mine !== drawing) return;
  find("stage").classList.remove("loading");
  if (!here && !picture.image) return clear(item.state === "failed" ? "" : t("no_picture_yet"));
  const shown = here ?? { number: 1, width: picture.image.naturalWidth, height: picture.image.naturalHeight, lines: [], rotation: 0 };
  view = pageView(here ? { ...shown, lines: here.lines } : shown, picture, {
    enter: (index) => hover(index), leave: () => hover(null), press: (index) => choose(index, "stage"),
  });
  viewer.show(view.layer, shown.width, shown.height);
  note(picture.drawn || !here ? "" : t("no_preview"));
  if (here) drawLines();
}

function clear(words) {
  viewer.clear();
  note(words);
  if (!result) waitingPanes();
}

function note(words) {
  find("stage-note").textContent = words;
  find("stage-note").hidden = !words;
}

function waitingPanes() {
  lines = null;
  const failed = item?.state === "failed";
  const words = item ? stateWords(item) : "";
  const detail = failed && item.error.detail ? [make("p", { class: "quiet", text: item.error.detail })] : [];
  const busy = item?.state === "reading" ? [make("span", { class: "spinner-border spinner-border-sm", "aria-hidden": "true" }), " "] : [];
  for (const name of ["tables", "fields"]) find(`pane-${name}`).replaceChildren(make("p", { class: "nothing", text: words }));
  find("lines").replaceChildren(make("div", { class: failed ? "nothing failed" : "nothing" }, make("p", {}, ...busy, words), ...detail));
  find("doubt-bar").hidden = true;
}

function turn(to) {
  if (!read?.pages[to]) return head();
  number = to;
  chosen = null;
  drawPage();
}

// Heads and foots

function head() {
  const pages = result?.pages.length ?? 0;
  find("name").textContent = item?.name ?? "";
  find("pager").hidden = pages < 2;
  find("page").value = number + 1;
  find("page-count").textContent = `/ ${count(Math.max(pages, item?.pages ?? 0))}`;
  find("previous-page").disabled = number === 0;
  find("next-page").disabled = number >= pages - 1;
  find("copy").disabled = find("save").disabled = !result;
  find("undo").disabled = !item || !inForce(item).length;
  find("summary").textContent = summary();
  counts();
}

function summary() {
  if (!read) return item && item.state !== "failed" ? stateWords(item) : "";
  const parts = [t("summary", { lines: count(linesIn(read)), doubtful: count(doubtfulIn(read, threshold())) })];
  if (item.milliseconds !== undefined) parts.push(seconds(item.milliseconds));
  const edits = changes(item).size;
  if (edits) parts.push(t("edits", { edits: count(edits) }));
  parts.push(...new Set(read.pages.flatMap((one) => one.warnings.map((warning) => warning.split(":")[0])).filter((name) => name !== "page_turned").map(warningWords)));
  return parts.filter(Boolean).join(" · ");
}

const warningWords = (name) => (t(`warning.${name}`) === `warning.${name}` ? "" : t(`warning.${name}`));

function counts() {
  const numbers = { tables: page()?.tables.length ?? 0, fields: Object.keys(result?.fields ?? {}).length };
  for (const [name, many] of Object.entries(numbers)) {
    const badge = find(`tab-${name}`).querySelector(".count");
    badge.hidden = !many;
    badge.textContent = many;
  }
}

// The three panes

function drawResult() {
  lines = linesView(page(), {
    enter: (index) => hover(index), leave: () => hover(null), choose: (index) => choose(index, "list"),
    edit: (index) => edit(index), copy: (index) => copy(page().lines[index].text), revert: (index) => revert(index),
  });
  find("lines").replaceChildren(lines.root);
  find("doubt-bar").hidden = !page().lines.length;
  drawLines();
  drawTables();
  drawFields();
}

function drawLines() {
  const here = page();
  if (!here || !lines) return;
  const changed = changes(item);
  const limit = threshold();
  for (const index of lines.order) lines.show(index, lineShown(index), limit, changed.get(`${number}:${index}`));
  view?.doubt(here.lines, limit, (index) => changed.has(`${number}:${index}`));
  const doubtful = here.lines.filter((line) => isDoubtful(line, limit)).length;
  find("doubt-count").textContent = t("doubt_count", { doubtful, lines: here.lines.length });
  find("doubt-bar").classList.toggle("some", doubtful > 0);
  find("summary").textContent = summary();
  if (chosen !== null) lines.mark(chosen);
}

// As read, for its characters; or as corrected.
const lineShown = (index) => (changes(item).has(`${number}:${index}`) ? page().lines[index] : result.pages[number].lines[index]);

function drawTables() {
  if (!page()) return;
  showTables(find("pane-tables"), page(), threshold(), item.options.tables === "auto", {
    outline: (polygon) => view?.outline(polygon), reveal: (polygon) => viewer.reveal(boundsOf(polygon)), copy: (text) => copy(text),
    edit: (index) => {
      showTab("text");
      choose(index, "stage");
      edit(index);
    },
  });
}

function drawFields() {
  if (!result) return;
  showFields(find("pane-fields"), result, changes(item), item.options.fields === "auto", {
    copy: (text) => copy(text),
    correct: (field, row, before, after) => correct({ field, row, before, after }),
    outline: async (polygon, at, still) => {
      if (polygon && at - 1 !== number && read.pages[at - 1] && !still) {
        number = at - 1;
        await drawPage();
      }
      if (polygon && at - 1 !== number) return;
      view?.outline(polygon);
      if (polygon && !still) viewer.reveal(boundsOf(polygon));
    },
  });
}

// Lines and their frames

function hover(index) {
  view?.mark("hovered", index);
  lines?.hover(index);
}

function choose(index, from) {
  chosen = index;
  view?.mark("active", index);
  lines?.mark(index);
  if (from === "list") viewer.reveal(boundsOf(page().lines[index].polygon));
  else if (getSelection().isCollapsed) showTab("text");
}

export function nextDoubt() {
  if (!lines?.order.length) return;
  const order = lines.order;
  const start = chosen === null ? -1 : order.indexOf(chosen);
  const around = [...order.slice(start + 1), ...order.slice(0, start + 1)];
  const next = around.find((index) => isDoubtful(page().lines[index], threshold()));
  if (next === undefined) return notice(t("no_doubt"));
  showTab("text");
  choose(next, "list");
  lines.focus(next);
}

export function showTab(name) {
  for (const one of ["text", "tables", "fields"]) {
    find(`tab-${one}`).setAttribute("aria-selected", String(one === name));
    find(`tab-${one}`).tabIndex = one === name ? 0 : -1;
    find(`pane-${one}`).hidden = one !== name;
  }
  view?.outline(null);
}

// Corrections

function edit(index) {
  const row = lines.rowAt(index);
  if (!row || row.querySelector(".editor")) return;
  choose(index, "list");
  const line = page().lines[index];
  const piece = pieceOf(line, picture?.image, page(), picture?.rotation ?? 0);
  openEditor(row.querySelector(".line-cell"), line, changes(item).get(`${number}:${index}`)?.before, piece, {
    done: (after) => correct({ page: number, line: index, before: line.text, after }),
    left: (step) => {
      const next = lines.order[lines.order.indexOf(index) + step] ?? index;
      if (step) choose(next, "list");
      lines.focus(next);
    },
  });
}

async function correct(one) {
  item.corrections = [...inForce(item), { ...one, at: new Date().toISOString() }];
  item.undone = 0;
  await applied(one);
  const made = item;
  notice(t("corrected"), { action: () => item === made && undo(), label: t("undo_short") });
}

async function undo() {
  if (!item || !inForce(item).length) return;
  const last = inForce(item).at(-1);
  item.undone += 1;
  await applied(last);
  notice(t("undone"));
}

function revert(index) {
  const change = changes(item).get(`${number}:${index}`);
  correct({ page: number, line: index, before: change.after, after: change.before });
}

async function applied(one) {
  read = corrected(result, item);
  await items.changeNow(item, {});
  if (one.line !== undefined && one.page === number) view?.text(one.line, page().lines[one.line]);
  drawLines();
  drawTables();
  if (one.field !== undefined) drawFields();
  else if (one.page === number) tell(one.line);
  head();
}

function tell(index) {
  const [line, here] = [result.pages[number].lines[index], page()];
  const piece = pieceOf(line, picture?.image, here, picture?.rotation ?? 0);
  teach(item, here, index, line, here.lines[index].text, piece);
}

function keys(event) {
  if (event.target.closest("input, textarea, select, dialog[open]")) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !event.shiftKey) {
    event.preventDefault();
    undo();
  } else if (event.ctrlKey || event.metaKey || event.altKey) {
    return;
  } else if (event.key === "n") {
    nextDoubt();
  } else if (event.key === "PageDown" || event.key === "PageUp") {
    if ((result?.pages.length ?? 0) < 2) return;
    event.preventDefault();
    turn(number + (event.key === "PageDown" ? 1 : -1));
  }
}
