// Items: one for each file that was added, in the order added, with its state; kept over reloads by the store.
//
// state  waiting -> reading -> done | failed | cancelled; `busyUntil`: when a refused one is sent again

import * as store from "./store.js";

const items = new Map();
const heard = { added: [], changed: [], removed: [], selected: [] };
let selected = null;

const IDLE_SAVE_MILLISECONDS = 300;
const unsaved = new Set();
let saving = 0;

export const list = () => [...items.values()];
export const find = (id) => items.get(id);
export const current = () => items.get(selected);

export function on(event, act) {
  heard[event].push(act);
}

function tell(event, ...values) {
  heard[event].forEach((act) => act(...values));
}

// crypto.randomUUID is there on https and localhost alone.
function newId() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// A second tab leaves alone what another one shows, and takes up what no open tab does.
const CHANNEL = "shizi";
const ANSWER_MILLISECONDS = 150;
const channel = typeof BroadcastChannel === "function" ? new BroadcastChannel(CHANNEL) : null;
channel?.addEventListener("message", ({ data }) => data === "who" && channel.postMessage([...items.keys()]));

async function elsewhere() {
  if (!channel) return new Set();
  const taken = new Set();
  const hear = ({ data }) => Array.isArray(data) && data.forEach((id) => taken.add(id));
  channel.addEventListener("message", hear);
  channel.postMessage("who");
  await new Promise((resolve) => setTimeout(resolve, ANSWER_MILLISECONDS));
  channel.removeEventListener("message", hear);
  return taken;
}

export async function load() {
  const kept = new Map((await store.all("items")).map((item) => [item.id, item]));
  const taken = kept.size ? await elsewhere() : new Set();
  for (const id of [...taken, ...items.keys()]) kept.delete(id); // what was added meanwhile is here already
  const found = [];
  for (const item of [...kept.values()].sort((a, b) => a.added - b.added || a.order - b.order)) {
    if (item.state === "reading") item.state = "waiting";
    item.busyUntil = 0;
    items.set(item.id, item);
    found.push(item);
  }
  if (found.length) tell("added", found);
}

export async function add(files, options) {
  const now = Date.now();
  const made = files.map((file, order) => ({
    id: newId(), name: file.name || "picture", size: file.size, type: file.type, added: now, order, options,
    state: "waiting", pages: 0, pagesRead: 0, tries: 0, busyUntil: 0, corrections: [], undone: 0,
  }));
  // Known at once, kept in their own time: a hundred photos take the disk a moment.
  made.forEach((item, order) => {
    items.set(item.id, item);
    fresh.set(item.id, files[order]);
  });
  tell("added", made);
  for (const item of made) {
    await store.put("files", item.id, fresh.get(item.id));
    await store.put("items", item.id, item);
    fresh.delete(item.id);
    if (!items.has(item.id)) await store.drop(item.id);
  }
  return made;
}

const fresh = new Map(); // files that are not in the store yet

export async function fileOf(item) {
  const blob = fresh.get(item.id) ?? (await store.get("files", item.id));
  if (!blob) return null;
  return blob instanceof File ? blob : new File([blob], item.name, { type: item.type });
}

export function change(item, values) {
  Object.assign(item, values);
  if (!items.has(item.id)) return;
  unsaved.add(item);
  saving ||= setTimeout(saveChanged, IDLE_SAVE_MILLISECONDS);
  tell("changed", item);
}

// What must not be lost to a reload a moment later: the id of a job, a correction.
export async function changeNow(item, values) {
  change(item, values);
  await saveChanged();
}

async function saveChanged() {
  clearTimeout(saving);
  saving = 0;
  const now = [...unsaved].filter((item) => items.has(item.id));
  unsaved.clear();
  for (const item of now) await store.put("items", item.id, item);
}
addEventListener("pagehide", saveChanged);

export async function remove(item) {
  const order = list().indexOf(item);
  items.delete(item.id);
  results.delete(item.id);
  tell("removed", item);
  if (selected === item.id) select(list()[Math.min(order, items.size - 1)]);
  await store.drop(item.id);
}

export function select(item) {
  selected = item?.id ?? null;
  try {
    sessionStorage.setItem("shizi.selected", selected ?? "");
  } catch {
    // the selection lasts as long as the page
  }
  tell("selected", item);
}

export function selectedBefore() {
  try {
    return items.get(sessionStorage.getItem("shizi.selected"));
  } catch {
    return undefined;
  }
}

// Results: as the service gave them, corrections apart; the last few stay in memory

const MOST_IN_MEMORY = 12;
const results = new Map();

export async function resultOf(item) {
  let result = results.get(item.id);
  if (!result) result = await store.get("results", item.id);
  if (result) remember(item, result);
  return result;
}

export async function keepResult(item, result) {
  if (!items.has(item.id)) return;
  remember(item, result);
  await store.put("results", item.id, result);
}

function remember(item, result) {
  results.delete(item.id);
  results.set(item.id, result);
  if (results.size > MOST_IN_MEMORY) results.delete(results.keys().next().value);
}

export async function everything() {
  const rows = [];
  for (const item of list()) {
    rows.push(["items", item.id, item], ["files", item.id, await fileOf(item)]);
    const result = await resultOf(item);
    if (result) rows.push(["results", item.id, result]);
  }
  return rows;
}
