// How files come in: chosen, photographed, dropped (folders too), pasted.

import { find } from "./elements.js";
import { mostBytes } from "./facts.js";
import * as items from "./items.js";
import { notice } from "./notices.js";
import { chosen } from "./options-view.js";
import { megabytes, t } from "./words.js";

const MOST_AT_ONCE = 1000; // a folder dropped by mistake

export async function add(files) {
  const taken = files.slice(0, MOST_AT_ONCE);
  if (taken.length < files.length) notice(t("too_many", { most: MOST_AT_ONCE }), { kind: "problem" });
  if (!taken.length) return;
  const nothingThere = !items.current();
  const made = items.add(taken, chosen());
  if (nothingThere) items.select(items.list()[0]);
  await made;
}

async function filesIn(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  const found = [];
  for (const entry of entries) await walk(entry, found);
  return found;
}

async function walk(entry, found) {
  if (found.length > MOST_AT_ONCE) return;
  if (entry.isFile) {
    if (!entry.name.startsWith(".")) found.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!batch.length) return;
    for (const inner of batch) await walk(inner, found);
  }
}

// A pasted picture has no name of its own: all are image.png.
function named(file) {
  if (file.name && file.name !== "image.png") return file;
  const now = new Date();
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map((part) => String(part).padStart(2, "0")).join(".");
  return new File([file], `${t("pasted")} ${time}.png`, { type: file.type });
}

export function setUpAdding() {
  find("formats").textContent = t("formats", { megabytes: megabytes(mostBytes) });
  for (const id of ["file", "camera"]) {
    find(id).addEventListener("change", () => {
      add([...find(id).files]);
      find(id).value = "";
    });
  }
  const veil = find("drop-veil");
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragenter", (event) => {
    if (carriesFiles(event)) veil.hidden = false;
  });
  document.addEventListener("dragover", (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) veil.hidden = true;
  });
  document.addEventListener("drop", async (event) => {
    veil.hidden = true;
    if (!carriesFiles(event)) return;
    event.preventDefault();
    add(await filesIn(event.dataTransfer));
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    add(files.map(named));
  });
}
