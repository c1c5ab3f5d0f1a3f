// The queue: which file is read next, and what happens when it cannot be. Two at a time; a busy service is asked again
// after what it says, an unreachable one until it answers; nothing that was added is lost.

import { alive, forgetJob, Refused, Unreachable } from "./api.js";
import * as items from "./items.js";
import { askForKey, onKey } from "./keys.js";
import { alarm, banner } from "./notices.js";
import { drawThumbnail, read, wait } from "./reading.js";
import { has, t } from "./words.js";

const AT_ONCE = 2;
const LOOK_AGAIN_MILLISECONDS = 3000;
const LONGEST_WAIT_SECONDS = 600; // beyond this, somebody has to decide: a spent quota of a day
const PASSING = new Set(["busy", "stopping", "worker_lost", "unavailable", "quota_spent", "unknown_job"]);
const MOST_LOSSES = 3; // a picture that brings its reading process down is not sent for ever

const running = new Map(); // item id -> AbortController
let reachable = true;
let keyNeeded = false;

export function pump() {
  if (!reachable || keyNeeded) return;
  const now = Date.now();
  for (const item of items.list()) {
    if (running.size >= AT_ONCE) return;
    if (item.state !== "waiting" || running.has(item.id)) continue;
    if (item.busyUntil > now) continue;
    start(item);
  }
}

async function start(item) {
  const control = new AbortController();
  running.set(item.id, control);
  items.change(item, { state: "reading", started: Date.now(), error: null, busyUntil: 0 });
  try {
    await read(item, control.signal);
    if (!control.signal.aborted) await settled(item, { state: "done", ended: Date.now(), losses: 0 });
  } catch (error) {
    if (!control.signal.aborted) await settle(item, error);
  } finally {
    if (running.get(item.id) === control) running.delete(item.id);
    pump();
  }
}

// How it ended and that its job is no longer needed are kept in one step: a reload in between would read it again.
async function settled(item, values) {
  const { job } = item;
  await items.changeNow(item, { ...values, job: null, tries: item.tries + 1 });
  if (job) forgetJob(job).catch(() => {}); // what was read is here; the service forgets it by itself if this is lost
}

async function settle(item, error) {
  if (error instanceof Unreachable) {
    items.change(item, { state: "waiting" });
    lose();
  } else if (error.code === "key_missing" || error.code === "key_refused") {
    items.change(item, { state: "waiting" });
    keyNeeded = true;
    banner(t(`error.${error.code}`));
    askForKey(t(`error.${error.code}`));
  } else if (PASSING.has(error.code) && error.retrySeconds <= LONGEST_WAIT_SECONDS && (item.losses ?? 0) < MOST_LOSSES) {
    const losses = error.code === "worker_lost" ? (item.losses ?? 0) + 1 : item.losses;
    const seconds = error.code === "unknown_job" ? 0 : error.retrySeconds || 2;
    const values = { state: "waiting", losses, busyUntil: Date.now() + 1000 * seconds, error: told(error) };
    if (error.over) await settled(item, values);
    else items.change(item, values);
    setTimeout(pump, 1000 * seconds + 20);
  } else {
    await settled(item, { state: "failed", ended: Date.now(), error: told(error) });
    alarm(`${item.name}: ${t(item.error.words)}`);
  }
}

function told(error) {
  if (!(error instanceof Refused)) return { code: "page", words: "error.page", detail: String(error.message ?? error) };
  const words = has(`error.${error.code}`) ? `error.${error.code}` : "error.other";
  return { code: error.code, words, detail: error.message };
}

// The network

async function lose() {
  if (!reachable) return;
  reachable = false;
  banner(navigator.onLine ? t("unreachable") : t("offline"));
  while (!reachable) {
    await wait(LOOK_AGAIN_MILLISECONDS);
    if (!reachable && navigator.onLine && (await alive())) find();
  }
}

function find() {
  reachable = true;
  banner("");
  pump();
}

export function setUpQueue() {
  addEventListener("offline", lose);
  addEventListener("online", async () => (await alive()) && find());
  onKey(() => {
    keyNeeded = false;
    banner("");
    pump();
  });
  items.on("added", async (made) => {
    pump();
    for (const item of made) await drawThumbnail(item);
  });
  items.on("removed", (item) => {
    running.get(item.id)?.abort();
    if (item.job) forgetJob(item.job).catch(() => {});
  });
}

export function cancel(item) {
  running.get(item.id)?.abort();
  if (item.job) forgetJob(item.job).catch(() => {});
  return items.changeNow(item, { state: "cancelled", job: null, tries: item.tries + 1, busyUntil: 0, error: null });
}

// Read once more, from the start: after an error, or with other options, or with a password.
export async function again(item, options = item.options) {
  running.get(item.id)?.abort();
  if (item.job) forgetJob(item.job).catch(() => {});
  const values = { state: "waiting", job: null, pagesRead: 0, pages: 0, error: null, busyUntil: 0, losses: 0, failedPages: [] };
  await items.changeNow(item, { ...values, tries: item.tries + 1, options, corrections: [], undone: 0 });
  pump();
}
