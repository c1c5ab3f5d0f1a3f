// Reading: one file becomes a result through the public API. A picture is one request; a document goes page by page: as
// a job where the service takes jobs, else one request a page, so that pages show as they come and a reload goes on
// where it stopped.
//
// Gives nothing back: progress and results go into the item. Raises Refused, Unreachable, AbortError; a Refused with
// `over` is what a job ended with.

import * as api from "./api.js";
import { facts, takesJobs } from "./facts.js";
import { fromAnswer, joined } from "./documents.js";
import * as items from "./items.js";
import { thumbnailOf } from "./thumbnails.js";

const DOCUMENT = /\.(pdf|tiff?|ofd|xml|heic|heif)$/i;
const NOT_SHOWN = /\.(pdf|tiff?|ofd|xml|heic|heif)$/i; // by browsers, by themselves
const THUMBNAIL_SIDE = 240;
const FIRST_LOOK_MILLISECONDS = 300;
const LONGEST_LOOK_MILLISECONDS = 1500;

export const isDocument = (item) => DOCUMENT.test(item.name) || /pdf|tiff|ofd|xml|hei[cf]/.test(item.type);
export const isShown = (item) => !NOT_SHOWN.test(item.name) && !/pdf|tiff|ofd|xml|hei[cf]/.test(item.type);

export async function read(item, signal) {
  const file = await items.fileOf(item);
  if (!file) throw new api.Refused("gone", "", 0, 0);
  const most = takesJobs ? Math.max(facts.jobBytes, facts.maxBytes) : facts.maxBytes;
  if (file.size > most) throw new api.Refused("too_large_here", "", 413, 0);
  if (file.size === 0) throw new api.Refused("empty_file", "", 422, 0);
  const options = { ...item.options, detail: "character" };
  if (isDocument(item)) await look(item, file, signal);
  const large = file.size > facts.maxBytes;
  if (takesJobs && (item.job || item.pages > 1 || large)) {
    try {
      return await readAsJob(item, file, options, signal);
    } catch (error) {
      if (error.code !== "access" || large) throw error; // a key that may read, but not send jobs
    }
  }
  if (item.pages > 1 && !options.pages) await readByPages(item, file, options, signal);
  else await readAtOnce(item, file, options, signal);
}

// A document is looked at first: its first page for the list, and how many there are.
async function look(item, file, signal) {
  if (item.pages) return;
  const first = await api.picture(file, { side: THUMBNAIL_SIDE, password: item.options.password }, signal);
  items.change(item, { pages: first.pages, thumbnail: item.thumbnail ?? first.blob });
}

async function readAtOnce(item, file, options, signal) {
  const answer = await api.predict(file, options, signal);
  await keep(item, fromAnswer(answer), { milliseconds: answer.cached ? undefined : answer.processing_time_ms });
}

async function readByPages(item, file, options, signal) {
  let result = item.pagesRead ? await items.resultOf(item) : null;
  let spent = result ? item.milliseconds : undefined;
  for (let page = result ? item.pagesRead + 1 : 1; page <= item.pages; page++) {
    const answer = await api.predict(file, { ...options, pages: String(page) }, signal);
    result = joined(result, answer);
    if (!answer.cached) spent = (spent ?? 0) + answer.processing_time_ms;
    await keep(item, result, { pagesRead: page, milliseconds: spent });
  }
}

async function readAsJob(item, file, options, signal) {
  if (!item.job) {
    const job = await api.submitJob(file, options, `${item.id}-${item.tries}`, signal);
    await items.changeNow(item, { job: job.id });
  }
  signal.throwIfAborted();
  let shown = (await items.resultOf(item))?.pages.length ?? 0;
  let pause = FIRST_LOOK_MILLISECONDS;
  for (;;) {
    const state = await stateOf(item, signal);
    items.change(item, { pages: state.pages ?? item.pages, pagesRead: state.pages_read });
    const over = !["queued", "running"].includes(state.state);
    // The pages so far are fetched at the first, and then each time they have doubled: a long job is not sent often.
    if (state.pages_read && (over || state.pages_read >= 2 * shown)) {
      const result = fromAnswer(await api.jobResult(item.job, signal));
      shown = result.pages.length;
      await keep(item, result, {});
    }
    if (over) return end(item, state);
    await wait(pause, signal);
    pause = Math.min(LONGEST_LOOK_MILLISECONDS, pause * 1.3);
  }
}

async function stateOf(item, signal) {
  try {
    return await api.jobState(item.job, signal);
  } catch (error) {
    // The service was set up anew, or kept the job long enough: it is sent again.
    if (error.code === "unknown_job") await items.changeNow(item, { job: null, tries: item.tries + 1, pagesRead: 0 });
    throw error;
  }
}

async function end(item, state) {
  const failed = state.errors.map((error) => ({ page: error.page, code: error.code, detail: error.error }));
  const milliseconds = state.ended ? Date.parse(state.ended) - Date.parse(state.created) : undefined;
  items.change(item, { failedPages: failed, milliseconds: milliseconds || undefined });
  if (state.state === "done") return;
  throw Object.assign(new api.Refused(failed[0]?.code ?? "internal", failed[0]?.detail ?? "", 422, 0), { over: true });
}

async function keep(item, result, values) {
  await items.keepResult(item, result);
  await items.changeNow(item, { ...values, pages: Math.max(item.pages, result.pages.length), version: (item.version ?? 0) + 1 });
}

export function wait(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}

// The small picture for the list: made here where the browser can read the file, else asked for once it was read.
export async function drawThumbnail(item) {
  if (item.thumbnail || !isShown(item)) return;
  const file = await items.fileOf(item);
  const thumbnail = file && (await thumbnailOf(file));
  if (thumbnail && !item.thumbnail) items.change(item, { thumbnail });
}
