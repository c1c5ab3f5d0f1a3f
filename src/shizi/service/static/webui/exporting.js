// Out of the page: to the clipboard, to a file in any format the service writes, or everything as one zip. What was
// corrected is in all of them; nothing is read again for it.

import * as api from "./api.js";
import { corrected, textOf } from "./documents.js";
import { find, make, openDialog } from "./elements.js";
import { facts } from "./facts.js";
import * as items from "./items.js";
import { notice } from "./notices.js";
import { wait } from "./reading.js";
import { has, t } from "./words.js";
import { Zip } from "./zip.js";

const USUAL = ["text", "markdown", "xlsx", "pdf", "json"]; // what people ask for, first in menus
const MADE_OF_THE_FILE = "pdf";
const MOST_TRIES = 8;

export async function copy(text, button) {
  const done = await copied(text);
  notice(t(done ? "copied" : "copy_failed"), { kind: done ? "done" : "problem" });
  button?.focus();
  return done;
}

// Outside https and localhost browsers have no clipboard API, so the old way stays as the second try.
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = make("textarea", { class: "visually-hidden" });
    field.value = text;
    (document.querySelector("dialog[open]") ?? document.body).append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}

export async function copyAll(item) {
  const result = await items.resultOf(item);
  if (result) await copy(textOf(corrected(result, item)), find("copy"));
}

export function formats() {
  const offered = Object.keys(facts.formats);
  return [...USUAL.filter((name) => offered.includes(name)), ...offered.filter((name) => !USUAL.includes(name))];
}

export const formatWords = (name) => (has(`format.${name}`) ? t(`format.${name}`) : name);

// The service does without characters: they are only shown. Without them a long document is a third as large.
function lean(read) {
  const line = (one) => (one.words ? { ...one, words: one.words.map(({ chars, ...word }) => word) } : one);
  return { ...read, pages: read.pages.map((page) => ({ ...page, lines: page.lines.map(line) })) };
}

async function written(item, format, signal) {
  const read = corrected(await items.resultOf(item), item);
  const file = format === MADE_OF_THE_FILE ? await items.fileOf(item) : null;
  const values = { format, name: item.name, password: file ? item.options.password : "" };
  for (let tries = 1; ; tries++) {
    try {
      return await api.exported(file, lean(read), values, signal);
    } catch (error) {
      if (!(error instanceof api.Refused) || !error.retrySeconds || tries === MOST_TRIES) throw error;
      await wait(1000 * Math.min(error.retrySeconds, 60), signal);
    }
  }
}

function download(blob, name) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

const stem = (name) => name.replace(/\.[^.]*$/, "") || name;

export async function save(item, format) {
  try {
    download(await written(item, format), `${stem(item.name)}${facts.formats[format]}`);
  } catch (error) {
    notice(problem(error), { kind: "problem" });
  }
}

function problem(error) {
  if (error instanceof api.Unreachable) return t("unreachable");
  if (error.code === "unsupported_format" || error.code === "options") return `${t("not_in_format")} ${error.message}`;
  return has(`error.${error.code}`) ? t(`error.${error.code}`, { detail: error.message }) : error.message;
}

// The menu of formats

export function setUpSaving() {
  const menu = find("save-menu");
  const button = find("save");
  menu.append(...formats().map((name) => make("button", { type: "button", role: "menuitem", class: "menu-item", tabindex: "-1", data: { format: name }, on: { click: () => {
    menu.hidePopover();
    save(items.current(), name);
  } } }, make("span", { text: formatWords(name) }), make("span", { class: "quiet", text: facts.formats[name] }))));
  menu.append(make("hr"), make("button", { type: "button", role: "menuitem", class: "menu-item", tabindex: "-1", data: { format: "zip" }, on: { click: () => {
    menu.hidePopover();
    openExport("one");
  } } }, make("span", { text: t("export_zip") }), make("span", { class: "quiet", text: ".zip" })));
  button.addEventListener("click", () => (menu.matches(":popover-open") ? menu.hidePopover() : open(menu, button)));
  menu.addEventListener("toggle", (event) => {
    button.setAttribute("aria-expanded", String(event.newState === "open"));
    if (event.newState === "closed" && menu.contains(document.activeElement)) button.focus();
  });
  menu.addEventListener("keydown", (event) => {
    const all = [...menu.querySelectorAll("[role=menuitem]")];
    const at = all.indexOf(document.activeElement);
    const next = { ArrowDown: (at + 1) % all.length, ArrowUp: (at - 1 + all.length) % all.length, Home: 0, End: all.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    all[next].focus();
  });
  setUpExport();
}

function open(menu, button) {
  menu.showPopover();
  const place = button.getBoundingClientRect();
  menu.style.left = `${Math.max(8, Math.min(place.right - menu.offsetWidth, innerWidth - menu.offsetWidth - 8))}px`;
  menu.style.top = `${Math.max(8, Math.min(place.bottom + 6, innerHeight - menu.offsetHeight - 8))}px`;
  menu.querySelector("[role=menuitem]").focus();
}

// Everything as one zip

let packing = null;

export function openExport(scope) {
  const form = find("export-form");
  form.elements.scope.value = scope;
  find("export-state").textContent = "";
  openDialog(find("export-dialog"));
}

function setUpExport() {
  find("export-formats").append(...formats().map((name) => make("label", { class: "form-check" },
    make("input", { type: "checkbox", class: "form-check-input", name: "format", value: name, checked: ["text", "json", "xlsx", "pdf", "markdown"].includes(name) }),
    make("span", { text: formatWords(name) }), make("span", { class: "quiet", text: facts.formats[name] }))));
  find("export-all").addEventListener("click", () => openExport("all"));
  find("export-dialog").addEventListener("close", () => packing?.abort());
  find("export-form").addEventListener("submit", (event) => {
    event.preventDefault();
    pack(new FormData(find("export-form")));
  });
}

async function pack(form) {
  const chosen = form.get("scope") === "one" ? [items.current()].filter(Boolean) : items.list();
  const ready = chosen.filter((item) => item.state === "done");
  const wanted = form.getAll("format");
  if (!ready.length || !wanted.length) {
    find("export-state").textContent = t("nothing_to_export");
    return;
  }
  packing = new AbortController();
  find("export-go").disabled = true;
  find("export-progress").hidden = false;
  try {
    const left = await zipped(ready, wanted, packing.signal);
    find("export-state").textContent = left.length ? `${t("zip_partly")} ${left.join("; ")}` : t("zip_done", { files: ready.length });
  } catch (error) {
    if (error.name !== "AbortError") find("export-state").textContent = problem(error);
  } finally {
    find("export-go").disabled = false;
    find("export-progress").hidden = true;
  }
}

// Give what could not be written: a searchable PDF of an OFD, say, does not keep the rest from being packed.
async function zipped(ready, wanted, signal) {
  const zip = new Zip();
  const used = new Set();
  const left = [];
  let done = 0;
  for (const item of ready) {
    const base = unused(stem(item.name).replace(/[\\/:*?"<>|\x00-\x1f]/g, "_").slice(0, 120), used);
    for (const format of wanted) {
      find("export-progress").value = done++ / (ready.length * wanted.length);
      find("export-state").textContent = `${item.name} ${facts.formats[format]}`;
      try {
        await zip.add(`${base}${facts.formats[format]}`, await written(item, format, signal));
      } catch (error) {
        if (!(error instanceof api.Refused)) throw error;
        left.push(`${item.name} ${facts.formats[format]}`);
      }
    }
  }
  download(zip.blob(), ready.length === 1 ? `${stem(ready[0].name)}.zip` : "shizi.zip");
  return left;
}

function unused(name, used) {
  let free = name;
  for (let number = 2; used.has(free); number++) free = `${name} (${number})`;
  used.add(free);
  return free;
}
