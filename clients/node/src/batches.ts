/** Batches: any number of files, some at the same time, results in order. */
import { AccessError, OptionsError } from "./errors.js";
import type { Source } from "./files.js";
import type { Reading } from "./models.js";

/** One file of a batch: its place, what was given, and its `reading` or its `error`. */
export type BatchEntry =
  | { index: number; source: Source; reading: Reading; error?: undefined }
  | { index: number; source: Source; reading?: undefined; error: Error };

// Files begun or waiting, per one that runs at a time: so that a slow one does not leave the others idle.
const AHEAD = 2;

/** Read each of `sources`, `atOnce` at a time; leaving the loop early ends what is under way. */
export async function* readInOrder(
  sources: Iterable<Source> | AsyncIterable<Source>,
  read: (source: Source, ended: AbortSignal) => Promise<Reading>,
  atOnce: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<BatchEntry, void, undefined> {
  if (!(atOnce >= 1)) throw new RangeError(`atOnce is ${atOnce}; expected 1 or more.`);
  const ending = new AbortController();
  const end = (): void => ending.abort(signal?.reason);
  if (signal?.aborted) end();
  signal?.addEventListener("abort", end, { once: true });
  const place = places(atOnce);
  const running: Promise<BatchEntry>[] = [];
  let index = 0;

  const entry = async (source: Source, index: number): Promise<BatchEntry> => {
    const leave = await place();
    try {
      return { index, source, reading: await read(source, ending.signal) };
    } catch (error) {
      const fatal = error instanceof AccessError || error instanceof OptionsError || !(error instanceof Error);
      if (fatal || ending.signal.aborted) throw error;
      return { index, source, error };
    } finally {
      leave();
    }
  };

  try {
    for await (const source of sources) {
      const begun = entry(source, index++);
      begun.catch(() => undefined); // it is thrown when its turn comes, not before
      running.push(begun);
      if (running.length >= AHEAD * atOnce) yield (await running.shift()) as BatchEntry;
    }
    while (running.length > 0) yield (await running.shift()) as BatchEntry;
  } finally {
    signal?.removeEventListener("abort", end);
    ending.abort();
    await Promise.allSettled(running);
  }
}

/** Give a way to wait for one of `count` places, and with it the way to leave it. */
function places(count: number): () => Promise<() => void> {
  const waiting: (() => void)[] = [];
  let free = count;
  const leave = (): void => {
    const next = waiting.shift();
    if (next) next();
    else free++;
  };
  return async () => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    return leave;
  };
}
