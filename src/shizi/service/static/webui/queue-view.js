// The list of files: a thumbnail, a name, a state in words, progress, and what can be done about it.

import { find, icon, iconButton, make } from "./elements.js";
import * as items from "./items.js";
import * as queue from "./queue.js";
import { count, megabytes, seconds, t } from "./words.js";

const rows = new Map(); // item id -> {row, parts, thumbnail}
const ICONS = { failed: "exclamation-triangle-fill", cancelled: "stop-circle", done: "check-lg" };

export function setUpQueueView() {
  items.on("added", (made) => {
    const fragment = document.createDocumentFragment();
    made.forEach((item) => fragment.append(rowOf(item)));
    find("queue").append(fragment);
    tally();
  });
  items.on("changed", (item) => {
    update(item);
    tally();
  });
  items.on("removed", (item) => {
    const gone = rows.get(item.id);
    if (gone?.address) URL.revokeObjectURL(gone.address);
    gone?.row.remove();
    rows.delete(item.id);
    tally();
  });
  items.on("selected", markSelected);
  find("queue").addEventListener("keydown", move);
  setInterval(tick, 1000);
}

function rowOf(item) {
  const picture = make("span", { class: "thumb", "aria-hidden": "true" }, icon("file-earmark-text"));
  const name = make("span", { class: "row-name", text: item.name });
  const state = make("span", { class: "row-state" });
  const bar = make("progress", { class: "row-progress", max: "1", value: "0", "aria-label": t("progress_of", { name: item.name }) });
  const body = make("span", { class: "row-body" }, name, state);
  const open = make("button", { type: "button", class: "row-open", on: { click: () => open_(item) } }, picture, body);
  const actions = make("span", { class: "row-actions" });
  const row = make("li", { class: "row-file" }, open, actions, bar);
  rows.set(item.id, { row, picture, state, bar, open, actions, shown: "", address: "" });
  update(item);
  return row;
}

function open_(item) {
  items.select(item);
  if (item.state === "done" || item.pagesRead) document.body.dataset.view = matchMedia("(max-width: 699px)").matches ? "picture" : document.body.dataset.view;
}

function update(item) {
  const parts = rows.get(item.id);
  if (!parts) return;
  const { row, state, bar } = parts;
  row.dataset.state = item.state;
  const words = stateWords(item);
  if (state.textContent !== words) state.replaceChildren(...(ICONS[item.state] ? [icon(ICONS[item.state])] : []), make("span", { text: words }));
  state.title = item.error?.detail ?? "";
  bar.hidden = item.state !== "reading";
  if (item.pages > 1 && item.pagesRead) bar.value = item.pagesRead / item.pages;
  else bar.removeAttribute("value");
  showThumbnail(item, parts);
  showActions(item, parts);
}

function showThumbnail(item, parts) {
  if (!item.thumbnail || parts.address) return;
  parts.address = URL.createObjectURL(item.thumbnail);
  const picture = make("img", { src: parts.address, alt: "", loading: "lazy", decoding: "async" });
  parts.picture.replaceChildren(picture);
}

function showActions(item, parts) {
  const kind = `${item.state}${item.error?.code ?? ""}`;
  if (parts.shown === kind) return;
  parts.shown = kind;
  const made = [];
  const on = (label, name, act) => made.push(iconButton(name, `${t(label)}: ${item.name}`, act));
  if (item.error?.code === "encrypted_pdf" && item.state === "failed") made.push(passwordOf(item));
  if (["waiting", "reading"].includes(item.state)) on("cancel", "stop-circle", () => queue.cancel(item));
  if (["failed", "cancelled"].includes(item.state)) on("retry", "arrow-clockwise", () => queue.again(item));
  on("remove", "x-lg", () => items.remove(item));
  parts.actions.replaceChildren(...made);
}

function passwordOf(item) {
  const field = make("input", { type: "password", class: "form-control form-control-sm", autocomplete: "off", placeholder: t("password"), "aria-label": `${t("password")}: ${item.name}` });
  const form = make("form", { class: "password", on: { submit: (event) => {
    event.preventDefault();
    queue.again(item, { ...item.options, password: field.value });
  } } }, field, make("button", { type: "submit", class: "btn btn-sm btn-primary", text: t("unlock") }));
  return form;
}

export function stateWords(item) {
  if (item.state === "waiting" && item.busyUntil > Date.now()) {
    const left = Math.ceil((item.busyUntil - Date.now()) / 1000);
    return t(item.error?.code === "quota_spent" ? "state.quota" : "state.busy", { seconds: left });
  }
  if (item.state === "reading" && item.pages > 1) return t("state.pages", { read: item.pagesRead, pages: item.pages });
  if (item.state === "failed") return t(item.error.words, { megabytes: megabytes(item.size), detail: item.error.detail });
  if (item.state === "done") return doneWords(item);
  return t(`state.${item.state}`);
}

function doneWords(item) {
  const parts = [];
  if (item.failedPages?.length) parts.push(t("pages_failed", { pages: item.failedPages.length }));
  if (item.pages > 1) parts.push(t("pages_count", { pages: count(item.pages) }));
  if (item.milliseconds !== undefined) parts.push(seconds(item.milliseconds));
  return parts.join(" · ") || t("state.done");
}

function markSelected(item) {
  for (const [id, { row, open }] of rows) {
    const on = id === item?.id;
    row.classList.toggle("selected", on);
    open.setAttribute("aria-current", on ? "true" : "false");
    if (on) row.scrollIntoView({ block: "nearest" });
  }
}

// Arrow keys walk through the list; Delete takes a file out.
function move(event) {
  const button = event.target.closest(".row-open");
  if (!button) return;
  const row = button.closest("li");
  const item = items.list()[[...find("queue").children].indexOf(row)];
  const next = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
  if (next) {
    event.preventDefault();
    next.querySelector(".row-open").focus();
  } else if (event.key === "Delete") {
    (row.nextElementSibling ?? row.previousElementSibling)?.querySelector(".row-open").focus();
    items.remove(item);
  }
}

function tick() {
  for (const item of items.list()) if (item.busyUntil > Date.now()) update(item);
}

let tallying = false;

function tally() {
  if (tallying) return;
  tallying = true;
  requestAnimationFrame(() => {
    tallying = false;
    const all = items.list();
    const over = all.filter((item) => !["waiting", "reading"].includes(item.state)).length;
    find("tally").textContent = all.length ? t("tally", { done: count(over), all: count(all.length) }) : "";
    find("overall").hidden = over === all.length;
    find("overall").value = all.length ? over / all.length : 0;
    find("export-all").disabled = !all.some((item) => item.state === "done");
    find("remove-all").disabled = !all.length;
    document.body.classList.toggle("empty", !all.length);
    document.title = over < all.length ? `(${over}/${all.length}) ${t("title")}` : t("title");
  });
}
