/** The client: each operation of the service as a method. */
import { randomUUID } from "node:crypto";
import { readInOrder, type BatchEntry } from "./batches.js";
import { ConnectionFailed, JobFailed, TimedOut, UnexpectedAnswer, refusal } from "./errors.js";
import { ResultFile, load, picture, type Picture, type Source } from "./files.js";
import type {
  Correction,
  Corrections,
  DeletedJob,
  Document,
  Format,
  Health,
  Job,
  Models,
  Options,
  Polygon,
  Readiness,
  Reading,
} from "./models.js";
import { DEFAULT, pause, waitAfter, type Retries } from "./retries.js";

/** How to reach the service. `timeoutMs`: for one answer; `fetch`: one of your own (proxies, certificates). */
export interface ClientOptions {
  url?: string;
  key?: string | undefined;
  timeoutMs?: number;
  retries?: Partial<Retries>;
  fetch?: typeof fetch;
}

/** What any call takes. `signal` ends it. */
export interface CallOptions {
  signal?: AbortSignal | undefined;
}

/**
 * What may be said of a corrected line beside its right text.
 *
 * `polygon`: where it stands, as its answer has it: the source is then its page or document, else its own picture.
 * `rotation`: that of the page's answer. `read`, `model`: what had been read, and what read it. `margins`: the line's own
 * picture holds more than the line. `password`: opens an encrypted PDF.
 */
export interface LineTerms {
  polygon?: Polygon;
  page?: number;
  rotation?: number;
  vertical?: boolean;
  password?: string;
  margins?: boolean;
  read?: string;
  model?: string;
}

// `files`: pairs of a part's name and what it holds. `once`: done twice it does harm, so it is not sent again where nobody
// knows whether it was done.
interface Call {
  method: string;
  path: string;
  files?: Iterable<[string, Source]>;
  fields?: Record<string, unknown>;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  json?: Record<string, string>;
  once?: boolean;
}

// A service with its own defaults lets a request wait 30 s for its turn and read for 120 s.
const TIMEOUT_MS = 150_000;
const FIRST_POLL_MS = 100;
const LONGEST_POLL_MS = 5000;

/** A shizi service. One client serves any number of calls at once. */
export class ShiziClient {
  readonly #url: string;
  readonly #key: string | undefined;
  readonly #timeoutMs: number;
  readonly #retries: Retries;
  readonly #fetch: typeof fetch;

  constructor(options: ClientOptions = {}) {
    const url = options.url ?? "http://127.0.0.1:5000";
    if (!/^https?:\/\//.test(url)) {
      throw new TypeError(`The url is ${url}; expected the address of a shizi, such as http://127.0.0.1:5000.`);
    }
    this.#url = url.replace(/\/+$/, "");
    this.#key = options.key;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#retries = { ...DEFAULT, ...options.retries };
    this.#fetch = options.fetch ?? fetch;
  }

  /** Read one picture or document. */
  read(source: Source, options: Options = {}, { signal }: CallOptions = {}): Promise<Reading> {
    const call: Call = { method: "POST", path: "/ocr/predict", files: [["file", source]], fields: { ...options } };
    return this.#send(call, answer<Reading>, signal);
  }

  /**
   * Read any number of files, each in a request of its own, `atOnce` at the same time.
   *
   * Gives one entry a file, in the order given. A file that cannot be read is an entry with its `error`; only what every
   * other file would meet too ends the batch: AccessError and OptionsError. `sources` are taken as needed.
   */
  readBatch(
    sources: Iterable<Source> | AsyncIterable<Source>,
    options: Options = {},
    { atOnce = 4, signal }: CallOptions & { atOnce?: number } = {},
  ): AsyncGenerator<BatchEntry, void, undefined> {
    return readInOrder(sources, (source, ended) => this.read(source, options, { signal: ended }), atOnce, signal);
  }

  /** Read one picture or document and give it as a file: searchable PDF, Word, Excel, Markdown and others. */
  export(source: Source, format: Format, options: Options = {}, { signal }: CallOptions = {}): Promise<ResultFile> {
    const fields = { ...options, format };
    const call: Call = { method: "POST", path: "/ocr/predict", files: [["file", source]], fields };
    return this.#send(call, (response) => ResultFile.of(response, format), signal);
  }

  /**
   * Write a document that was read before, with whatever was corrected in it, as a file; nothing is read again.
   *
   * `document`: a Reading, a job's Document, or their JSON. `source`: what it was read of, for a searchable PDF.
   */
  write(
    document: Document | string,
    format: Format,
    { source, name, password, signal }: CallOptions & { source?: Source; name?: string; password?: string } = {},
  ): Promise<ResultFile> {
    const text = typeof document === "string" ? document : JSON.stringify(document);
    const files: [string, Source][] = [["document", { name: "document.json", data: new TextEncoder().encode(text) }]];
    if (source !== undefined) files.push(["file", source]);
    const call = { method: "POST", path: "/ocr/export", files, fields: { format, name, password } };
    return this.#send(call, (response) => ResultFile.of(response, format), signal);
  }

  /** Give a page as a JPEG, `side` pixels at its longest, turned by `rotation` degrees clockwise. */
  picture(
    source: Source,
    page = 1,
    { signal, ...fields }: CallOptions & { side?: number; rotation?: number; password?: string } = {},
  ): Promise<Picture> {
    const call: Call = { method: "POST", path: "/ocr/picture", files: [["file", source]], fields: { page, ...fields } };
    return this.#send(call, picture, signal);
  }

  /**
   * Order a job: long documents or many files, read behind those who wait.
   *
   * The same order under the same `idempotencyKey` is the same job; without one a random key makes retries safe.
   */
  submit(
    sources: Iterable<Source>,
    options: Options = {},
    { webhook, idempotencyKey, signal }: CallOptions & { webhook?: string; idempotencyKey?: string } = {},
  ): Promise<Job> {
    const headers = { "Idempotency-Key": idempotencyKey ?? randomUUID() };
    const files = [...sources].map((source): [string, Source] => ["file", source]);
    const call = { method: "POST", path: "/ocr/jobs", files, fields: { ...options, webhook }, headers };
    return this.#send(call, answer<Job>, signal);
  }

  /** Ask how a job stands. */
  job(id: string, { signal }: CallOptions = {}): Promise<Job> {
    return this.#send({ method: "GET", path: `/ocr/jobs/${encodeURIComponent(id)}` }, answer<Job>, signal);
  }

  /**
   * Wait until a job is over and give it; `onProgress` is called with each new state.
   *
   * Throws JobFailed if nothing was read, TimedOut after `timeoutMs` (the job goes on).
   */
  async wait(
    id: string,
    { onProgress, timeoutMs, signal }: CallOptions & { onProgress?: (job: Job) => void; timeoutMs?: number } = {},
  ): Promise<Job> {
    const end = timeoutMs === undefined ? Infinity : Date.now() + timeoutMs;
    let poll = FIRST_POLL_MS;
    let seen = "";
    for (;;) {
      const job = await this.job(id, { signal });
      const now = [job.state, job.pages, job.pages_read, job.pages_failed].join();
      if (now !== seen) {
        [seen, poll] = [now, FIRST_POLL_MS];
        onProgress?.(job);
      }
      if (job.state === "done") return job;
      if (job.state !== "queued" && job.state !== "running") throw new JobFailed(job);
      const left = end - Date.now();
      if (left <= 0) throw new TimedOut(`The job ${id} is still ${job.state} after ${timeoutMs} ms; it goes on.`);
      await pause(Math.min(poll, left), signal);
      poll = Math.min(LONGEST_POLL_MS, poll * 1.5);
    }
  }

  /** Fetch what was read of one file of a job. `partial`: what is there of a job under way. */
  document(
    id: string,
    { file = 0, partial = false, signal }: CallOptions & { file?: number; partial?: boolean } = {},
  ): Promise<Document> {
    const call = { method: "GET", path: resultPath(id), query: resultQuery("json", file, partial) };
    return this.#send(call, answer<Document>, signal);
  }

  /** Fetch the result of a job as a file; of several files one, or a ZIP of all. */
  result(
    id: string,
    format: Format,
    { file, partial = false, signal }: CallOptions & { file?: number; partial?: boolean } = {},
  ): Promise<ResultFile> {
    const call = { method: "GET", path: resultPath(id), query: resultQuery(format, file, partial) };
    return this.#send(call, (response) => ResultFile.of(response, format), signal);
  }

  /** Cancel a job if it is not over, and delete it with all of its content. */
  delete(id: string, { signal }: CallOptions = {}): Promise<DeletedJob> {
    return this.#send({ method: "DELETE", path: `/ocr/jobs/${encodeURIComponent(id)}` }, answer<DeletedJob>, signal);
  }

  /** Drop all cached answers; give how many there were. The key needs the scope `admin`. */
  async purgeCache({ signal }: CallOptions = {}): Promise<number> {
    const call = { method: "DELETE", path: "/ocr/cache" };
    return (await this.#send(call, answer<{ dropped: number }>, signal)).dropped;
  }

  /** Ask whether this service keeps corrected lines, and how long their texts may be. */
  corrections({ signal }: CallOptions = {}): Promise<Corrections> {
    return this.#send({ method: "GET", path: "/ocr/corrections" }, answer<Corrections>, signal);
  }

  /**
   * Bring the right text of a line, for the recogniser to learn from. The key needs the scope `correct`.
   *
   * `source`: the line's own picture, or with `polygon` the page or document that it stands on.
   */
  correct(source: Source, text: string, terms: LineTerms = {}, { signal }: CallOptions = {}): Promise<Correction> {
    const { polygon, ...rest } = terms;
    const fields = { text, ...rest, polygon: polygon && JSON.stringify(polygon) };
    const files: [string, Source][] = [[polygon === undefined ? "line" : "image", source]];
    return this.#send({ method: "POST", path: "/ocr/corrections", files, fields }, answer<Correction>, signal);
  }

  /** Delete corrected lines, all or those of one key or of before a day (`2026-11-26`); give how many. Scope `admin`. */
  async purgeCorrections(
    { sender, before, signal }: CallOptions & { sender?: string; before?: string } = {},
  ): Promise<number> {
    const query = { ...(sender === undefined ? {} : { sender }), ...(before === undefined ? {} : { before }) };
    const call = { method: "DELETE", path: "/ocr/corrections", query };
    return (await this.#send(call, answer<{ dropped: number }>, signal)).dropped;
  }

  /** List the versions of the small recogniser. The key needs the scope `admin`, as for changing them. */
  models({ signal }: CallOptions = {}): Promise<Models> {
    return this.#send({ method: "GET", path: "/ocr/models" }, answer<Models>, signal);
  }

  /** Have a version read from now on. It is not sent again when its answer is lost; `models` tells. */
  promote(version: string, { signal }: CallOptions = {}): Promise<Models> {
    const call = { method: "POST", path: "/ocr/models/promote", json: { version }, once: true };
    return this.#send(call, answer<Models>, signal);
  }

  /** Have the version from before read again. It is not sent again when its answer is lost; `models` tells. */
  rollback({ signal }: CallOptions = {}): Promise<Models> {
    return this.#send({ method: "POST", path: "/ocr/models/rollback", once: true }, answer<Models>, signal);
  }

  /** Give what Prometheus collects, as text. The key needs the scope `admin`. */
  metrics({ signal }: CallOptions = {}): Promise<string> {
    return this.#send({ method: "GET", path: "/metrics" }, (response) => response.text(), signal);
  }

  /** Ask whether the service answers. */
  health({ signal }: CallOptions = {}): Promise<Health> {
    return this.#send({ method: "GET", path: "/ocr/health" }, answer<Health>, signal);
  }

  /** Ask whether the models are loaded; gives their names. */
  ready({ signal }: CallOptions = {}): Promise<Readiness> {
    return this.#send({ method: "GET", path: "/ocr/ready" }, answer<Readiness>, signal);
  }

  async #send<Answer>(
    call: Call,
    parse: (response: Response) => Promise<Answer>,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const body = call.files ? await form(call.files, call.fields ?? {}) : call.json ? JSON.stringify(call.json) : null;
    for (let tried = 1; ; tried++) {
      try {
        return await this.#once(call, body, parse, signal);
      } catch (error) {
        const wait = waitAfter(this.#retries, error, tried, !call.once);
        if (wait === undefined) throw error;
        await pause(wait, signal);
      }
    }
  }

  async #once<Answer>(
    call: Call,
    body: FormData | string | null,
    parse: (response: Response) => Promise<Answer>,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const query = call.query ? `?${new URLSearchParams(call.query)}` : "";
    const headers: Record<string, string> = { "User-Agent": "shizi-client-node/0.1.0", ...call.headers };
    if (call.json) headers["Content-Type"] = "application/json";
    if (this.#key) headers["Authorization"] = `Bearer ${this.#key}`;
    const ending = new AbortController();
    const end = (): void => ending.abort(signal?.reason);
    if (signal?.aborted) end();
    signal?.addEventListener("abort", end, { once: true });
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      ending.abort();
    }, this.#timeoutMs);
    try {
      const asked = { method: call.method, body, headers, redirect: "manual", signal: ending.signal } as const;
      const response = await this.#fetch(this.#url + call.path + query, asked);
      return await parse(await accepted(response));
    } catch (error) {
      throw this.#translated(error, late, signal);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    }
  }

  /** Give our error for one of fetch's, which are TypeErrors and aborts. */
  #translated(error: unknown, late: boolean, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted) return signal.reason;
    if (late) {
      const message = `${this.#url} did not answer within ${this.#timeoutMs} ms; give the client a longer timeoutMs.`;
      return new TimedOut(message, { cause: error });
    }
    if (!(error instanceof TypeError)) return error;
    const reason = String((error.cause as Error | undefined)?.message || error.message);
    return new ConnectionFailed(`No answer from ${this.#url} (${reason}); is a shizi there?`, { cause: error });
  }
}

async function accepted(response: Response): Promise<Response> {
  if (response.status >= 400) throw await refusal(response);
  if (response.status >= 300) {
    throw new UnexpectedAnswer(
      `The answer is a redirect to ${response.headers.get("Location")}, which is not followed, as the key would go ` +
        "along; give that address as the client's url.",
    );
  }
  return response;
}

/** Take the values out of an answer; whether they are shizi's shows in `success`, or in a document's `pages`. */
async function answer<Answer>(response: Response): Promise<Answer> {
  const text = await response.text();
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch (error) {
    throw new UnexpectedAnswer("The answer is no JSON; is this the address of a shizi?", { cause: error });
  }
  const { success, pages } = Object(values) as Record<string, unknown>;
  if (success !== true && !Array.isArray(pages)) {
    throw new UnexpectedAnswer("The answer is JSON, but none of shizi's; is this the address of a shizi?");
  }
  return values as Answer;
}

/** Put files and options into a form, which keeps a password out of the address. */
async function form(files: Iterable<[string, Source]>, fields: Record<string, unknown>): Promise<FormData> {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined && value !== null) body.append(name, String(value));
  }
  for (const [part, source] of files) {
    const { name, data } = await load(source);
    body.append(part, data, name);
  }
  return body;
}

function resultPath(id: string): string {
  return `/ocr/jobs/${encodeURIComponent(id)}/result`;
}

function resultQuery(format: Format, file: number | undefined, partial: boolean): Record<string, string> {
  return { format, ...(file === undefined ? {} : { file: String(file) }), ...(partial ? { partial: "true" } : {}) };
}
