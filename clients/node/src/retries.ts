/** When to ask again: what is worth it, and after how long. Sends nothing and waits for nobody. */
import { ConnectionFailed, Refused, WorkerLost } from "./errors.js";

/**
 * Ask again at most `times` when the service is busy (429, 503) or no connection held.
 *
 * What the service says in Retry-After is honoured; a wait over `longestMs` is not begun, and its error thrown at once: a
 * spent daily quota would hold the caller till midnight.
 */
export interface Retries {
  times: number;
  longestMs: number;
}

export const DEFAULT: Retries = { times: 3, longestMs: 60_000 };

const FIRST_MS = 500;
const LONGEST_GUESS_MS = 8000;
const SPREAD = 0.1; // of the wait is added by chance, so that many callers do not come back at once

/**
 * Give the milliseconds to wait after the `tried`-th failure (from 1) was `error`; undefined to give up.
 *
 * What is not `repeatable` is sent again after refusals alone: with a lost answer nobody knows whether it was done.
 */
export function waitAfter(retries: Retries, error: unknown, tried: number, repeatable: boolean): number | undefined {
  // A picture that brought a process down is sent once more, not again and again.
  if (tried > (error instanceof WorkerLost ? Math.min(retries.times, 1) : retries.times)) return undefined;
  const busy = error instanceof Refused && (error.status === 429 || error.status === 503);
  if (!busy && !(repeatable && error instanceof ConnectionFailed)) return undefined;
  const asked = error instanceof Refused && error.retryAfter !== undefined ? error.retryAfter * 1000 : undefined;
  const wait = asked ?? Math.min(LONGEST_GUESS_MS, FIRST_MS * 2 ** (tried - 1));
  return wait > retries.longestMs ? undefined : wait * (1 + SPREAD * Math.random());
}

/** Wait, unless `signal` ends it. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      resolve();
    }, milliseconds);
    if (signal?.aborted) end();
    else signal?.addEventListener("abort", end, { once: true });
  });
}
