/** The client of shizi's HTTP service. */
export type { BatchEntry } from "./batches.js";
export { ShiziClient, type CallOptions, type ClientOptions, type LineTerms } from "./client.js";
export {
  AccessError,
  Busy,
  ConnectionFailed,
  DamagedFile,
  DeadlinePassed,
  EncryptedPdf,
  InputError,
  InternalError,
  JobFailed,
  KeyMissing,
  KeyRefused,
  NotFinished,
  OptionsError,
  QuotaSpent,
  Refused,
  ShiziError,
  Stopping,
  TimedOut,
  TooLarge,
  Unavailable,
  UnexpectedAnswer,
  UnknownJob,
  UnsupportedFormat,
  WeightsError,
  WorkerLost,
} from "./errors.js";
export { ResultFile, type Picture, type Source } from "./files.js";
export * from "./models.js";
export type { Retries } from "./retries.js";
