// Made by clients/generate of the service's OpenAPI description; do not edit.
/** The types of answers and of reading options. */

export type Format = "text" | "json" | "markdown" | "html" | "hocr" | "alto" | "csv" | "xlsx" | "docx" | "pdf";
export type Polygon = [number, number][];

/** What a caller may choose for one reading. */
export interface Options {
  mode?: "fast" | "auto" | "accurate";
  enhance?: "auto" | "none" | "classic";
  orientation?: "auto" | "none";
  detail?: "line" | "word" | "character";
  tables?: "none" | "auto" | "skip";
  fields?: "none" | "auto";
  pdf?: "auto" | "ocr" | "text";
  /** Which pages of a document: "1-3,7,10-". */
  pages?: string;
  password?: string;
  /** A template of the operator's, by name. */
  template?: string;
  /** Read every line as one of the texts this small regular expression allows. */
  pattern?: string;
  /** How long its caller waits; also the header X-Deadline-Ms. */
  deadline_ms?: number;
  /** Bulk may be passed by those who wait; also the header X-Priority. */
  priority?: "interactive" | "bulk";
  /** Neither answer from the cache nor keep the answer; also Cache-Control: no-store. */
  no_store?: boolean;
}

/** Lines that belong together, by their indexes. */
export interface Block {
  kind: string;
  polygon: Polygon;
  lines: number[];
}

/** One cell of a table. */
export interface Cell {
  row: number;
  column: number;
  row_span: number;
  column_span: number;
  text: string;
  confidence: number;
  polygon: Polygon;
  lines: number[];
}

/** One character; `start` and `end` are shares of its line's length. */
export interface Char {
  text: string;
  confidence: number;
  start: number;
  end: number;
}

/** One test of a field. */
export interface Check {
  name: string;
  passed: boolean;
  detail: string;
}

/** A line was kept. `known`: it was before, with this text; `replaced`: with another, which is gone. */
export interface Correction {
  outcome: "kept" | "replaced" | "known";
  /** Names the line's picture. */
  id: string;
  /** The text as the models spell it. */
  text: string;
  request_id: string;
}

/** Whether corrections are kept here. */
export interface Corrections {
  kept: boolean;
  longest_text: number;
  request_id: string;
}

/** One of several forms in a document: the page it stands on, its fields, its own verdict. */
export interface FilledForm {
  page: number;
  fields: Record<string, Field>;
  verdict: Verdict;
}

/** One field of a form. `rows`: of a list (an invoice's items), each row's fields. */
export interface Field {
  value: string | Record<string, string>[];
  text: string;
  confidence: number;
  polygon?: Polygon | null;
  page: number;
  source: string;
  checks: Check[];
  repaired?: Repair | null;
  rows?: Record<string, Field>[] | null;
}

/** The process answers. */
export interface Health {
  version: string;
  request_id: string;
}

/** How a job stands. */
export interface Job {
  id: string;
  state: "queued" | "running" | "done" | "failed" | "cancelled";
  pages?: number | null;
  pages_read: number;
  pages_failed: number;
  files: JobFile[];
  errors: JobError[];
  created: string;
  ended?: string | null;
  webhook?: string | null;
  request_id: string;
}

/** A page that could not be read, or a file whose pages could not be counted. */
export interface JobError {
  file: number;
  page?: number | null;
  error: string;
  code: string;
}

/** One file of a job; `pages` is not known until they are counted. */
export interface JobFile {
  name: string;
  pages?: number | null;
  pages_read: number;
  pages_failed: number;
}

/** A job was cancelled, if it was not over, and forgotten. */
export interface DeletedJob {
  id: string;
  was: "queued" | "running" | "done" | "failed" | "cancelled";
  request_id: string;
}

/** One line of text, in reading order; `model` read it. */
export interface Line {
  text: string;
  confidence: number;
  polygon: Polygon;
  model: string;
  vertical: boolean;
  words?: Word[] | null;
}

/** One version of the small recogniser; `refusals` tells why it may not be promoted. */
export interface Model {
  name: string;
  current: boolean;
  made: string;
  parent: string;
  /** Corrections it learned from. */
  learned: number;
  /** Corrections it was judged by. */
  held: number;
  /** Of each set of lines: its parent and itself. */
  figures: Record<string, Record<string, Record<string, number>>>;
  refusals: string[];
}

/** What was put in force. */
export interface ModelChange {
  at: string;
  how: "promote" | "rollback" | "restore";
  before: string;
  to: string;
}

/** The versions of the small recogniser. `serving` is read with, `current` is in force in the folder. */
export interface Models {
  serving: string;
  current: string;
  /** Why `current` is not read with; empty if it is. */
  problem: string;
  versions: Model[];
  log: ModelChange[];
  request_id: string;
}

/** One page read. `rotation`: degrees clockwise the picture was turned to stand upright. */
export interface Page {
  number: number;
  width: number;
  height: number;
  dpi?: number | null;
  rotation: 0 | 90 | 180 | 270;
  text: string;
  lines: Line[];
  blocks: Block[];
  tables: Table[];
  warnings: string[];
  source: "ocr" | "text";
}

/** What was read of one picture or document. */
export interface Document {
  text: string;
  confidence: number;
  /** The model files that read, name@digest. */
  weights: string[];
  source?: string | null;
  pages: Page[];
  fields?: Record<string, Field> | null;
  verdict?: Verdict | null;
}

/** What was read. The first four keys are fixed for good. */
export interface Reading extends Document {
  processing_time_ms: number;
  request_id: string;
  cached: boolean;
  /** If it was cached: how old the answer is. */
  cache_age_seconds?: number | null;
  /** The options in force, without the password. */
  options: Record<string, string>;
  warnings: string[];
  /** Milliseconds of each stage; empty if nothing was read now. */
  stages: Record<string, number>;
  forms?: FilledForm[] | null;
}

/** The models are loaded and warm. */
export interface Readiness {
  weights: string[];
  request_id: string;
}

/** Our own misreading, put right. */
export interface Repair {
  before: string;
  after: string;
}

/** One table; `html` is the whole of it. */
export interface Table {
  html: string;
  rows: number;
  columns: number;
  ruled: boolean;
  polygon: Polygon;
  cells: Cell[];
}

/** Whether the fields prove themselves. */
export interface Verdict {
  decision: "accept" | "review";
  reasons: string[];
}

/** A run of Latin letters and digits, or of Chinese characters. */
export interface Word {
  text: string;
  confidence: number;
  polygon: Polygon;
  chars?: Char[] | null;
}
