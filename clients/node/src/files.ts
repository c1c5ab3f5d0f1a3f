/** Files: what can be read, and results that are files. */
import { readFile, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { UnexpectedAnswer } from "./errors.js";
import type { Format } from "./models.js";

/** What can be read: a path, a `file:` URL, bytes, or bytes with a name. */
export type Source = string | URL | Uint8Array | Blob | { name: string; data: Uint8Array | Blob };

/** Give the name and the bytes of a source; a path is opened. */
export async function load(source: Source): Promise<{ name: string; data: Blob }> {
  if (typeof source === "string" || source instanceof URL) {
    const path = typeof source === "string" ? source : fileURLToPath(source);
    return { name: basename(path), data: blob(await readFile(path)) };
  }
  if (source instanceof Uint8Array || source instanceof Blob) return { name: "file", data: blob(source) };
  return { name: source.name, data: blob(source.data) };
}

function blob(data: Uint8Array | Blob): Blob {
  return data instanceof Blob ? data : new Blob([data as unknown as BlobPart]);
}

// What files of a format end in, where that is not its name.
const SUFFIXES: Partial<Record<Format, string>> = { text: "txt", markdown: "md", alto: "xml" };

/** A result as a file. `failedPages`: the pages of a job that are missing in it, as `file:page`. */
export class ResultFile {
  constructor(
    readonly name: string,
    readonly mediaType: string,
    readonly data: Uint8Array,
    readonly failedPages: string[],
  ) {}

  /** Write the file, into a folder under its own name or to the path given; give where. */
  async save(path: string): Promise<string> {
    const isFolder = await stat(path).then((found) => found.isDirectory(), () => false);
    const target = isFolder ? join(path, this.name) : path;
    await writeFile(target, this.data);
    return target;
  }

  /** Take the file out of an answer that is one. */
  static async of(response: Response, format: Format): Promise<ResultFile> {
    const mediaType = (response.headers.get("Content-Type") ?? "application/octet-stream").split(";")[0] ?? "";
    const suffix = mediaType === "application/zip" ? "zip" : SUFFIXES[format] ?? format;
    const name = nameIn(response.headers.get("Content-Disposition") ?? "") || `result.${suffix}`;
    const failed = (response.headers.get("X-Failed-Pages") ?? "").split(",").filter(Boolean);
    return new ResultFile(name, mediaType, new Uint8Array(await response.arrayBuffer()), failed);
  }
}

/** A page as a JPEG; `pages`: how many the document has. */
export interface Picture {
  data: Uint8Array;
  pages: number;
}

/** Take the picture out of an answer that is one. */
export async function picture(response: Response): Promise<Picture> {
  const pages = Number(response.headers.get("X-Page-Count"));
  if (!pages) throw new UnexpectedAnswer("The answer does not tell the number of pages; is this the address of a shizi?");
  return { data: new Uint8Array(await response.arrayBuffer()), pages };
}

/** Take the file's name out of the header (RFC 6266), whatever it tries: no folder of it is kept. */
function nameIn(disposition: string): string {
  const whole = /filename\*=UTF-8''([^;\s]+)/.exec(disposition)?.[1];
  const given = whole === undefined ? /filename="([^"]*)"/.exec(disposition)?.[1] ?? "" : decodeURIComponent(whole);
  return (given.split(/[/\\]/).pop() ?? "").replace(/\0/g, "").replace(/^[. ]+|[. ]+$/g, "");
}
