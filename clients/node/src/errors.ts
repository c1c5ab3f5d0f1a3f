/**
 * What can go wrong, as types. The tree is that of docs/errors.md, with the service's own codes.
 *
 *     ShiziError
 *     ├── ConnectionFailed         no answer came: nobody listens, or the connection broke
 *     ├── TimedOut                 no answer came in time, or a job was not over in time
 *     ├── UnexpectedAnswer         an answer that is none of shizi's: another program, a proxy, a redirect
 *     ├── JobFailed                a job ended without a page read, or was cancelled (`job`)
 *     └── Refused                  the service said no: `status`, `code`, `message`, `requestId`, `retryAfter`
 *         ├── InternalError
 *         ├── InputError           UnsupportedFormat · DamagedFile · TooLarge · EncryptedPdf · UnknownJob · NotFinished
 *         ├── OptionsError
 *         ├── WeightsError
 *         ├── Busy                 Stopping · WorkerLost · DeadlinePassed · Unavailable
 *         └── AccessError          KeyMissing · KeyRefused · QuotaSpent
 */
import type { Job } from "./models.js";

/** Whatever this package throws; `message` says what was found, what was expected, what to do. */
export class ShiziError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** No answer came: nobody listens there, or the connection broke. */
export class ConnectionFailed extends ShiziError {}

/** No answer came in time, or a job was not over in time. */
export class TimedOut extends ShiziError {}

/** The answer is none of shizi's. */
export class UnexpectedAnswer extends ShiziError {}

/** A job ended without a result; `job` tells why. */
export class JobFailed extends ShiziError {
  constructor(readonly job: Job) {
    super(`The job ${job.id} is ${job.state}: ${job.errors[0]?.error ?? "no page was read"}`);
  }
}

/** The service said no. `retryAfter`: seconds after which it wants to be asked again, if it said so. */
export class Refused extends ShiziError {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly requestId = "",
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

/** The service itself failed; its log tells more under the request's id. */
export class InternalError extends Refused {}
/** There is no usable picture. */
export class InputError extends Refused {}
/** The bytes are of a kind that is not read. */
export class UnsupportedFormat extends InputError {}
/** The file is broken, cut short or empty. */
export class DamagedFile extends InputError {}
/** A limit on bytes, pixels or files is passed. */
export class TooLarge extends InputError {}
/** A PDF needs its password, or another one. */
export class EncryptedPdf extends InputError {}
/** There is no such job, or no longer. */
export class UnknownJob extends InputError {}
/** The job has no whole result. */
export class NotFinished extends InputError {}
/** An option is unknown or has a refused value. */
export class OptionsError extends Refused {}
/** A model file of the service is missing or altered. */
export class WeightsError extends Refused {}
/** The service takes no more work now. */
export class Busy extends Refused {}
/** The service is shutting down. */
export class Stopping extends Busy {}
/** The process that read this input died. */
export class WorkerLost extends Busy {}
/** The reading did not end by its deadline. */
export class DeadlinePassed extends Busy {}
/** What jobs or keys are kept in is full or out of reach. */
export class Unavailable extends Busy {}
/** The caller may not do this. */
export class AccessError extends Refused {}
/** No key came with the request. */
export class KeyMissing extends AccessError {}
/** The key is unknown or revoked. */
export class KeyRefused extends AccessError {}
/** The key asks too often or has used up its day. */
export class QuotaSpent extends AccessError {}

const BY_CODE: Record<string, typeof Refused> = {
  internal: InternalError,
  input: InputError,
  unsupported_format: UnsupportedFormat,
  damaged_file: DamagedFile,
  too_large: TooLarge,
  encrypted_pdf: EncryptedPdf,
  unknown_job: UnknownJob,
  not_finished: NotFinished,
  options: OptionsError,
  weights: WeightsError,
  busy: Busy,
  stopping: Stopping,
  worker_lost: WorkerLost,
  deadline: DeadlinePassed,
  unavailable: Unavailable,
  access: AccessError,
  key_missing: KeyMissing,
  key_refused: KeyRefused,
  quota_spent: QuotaSpent,
};

/** Give the error that a refused request's answer tells. */
export async function refusal(response: Response): Promise<Refused> {
  const retryAfter = readRetryAfter(response.headers.get("Retry-After"));
  const values: unknown = await response.json().catch(() => null);
  const { error, code, request_id } = Object(values) as Record<string, unknown>;
  if (typeof error === "string" && typeof code === "string") {
    const kind = (Object.hasOwn(BY_CODE, code) && BY_CODE[code]) || Refused;
    return new kind(error, response.status, code, String(request_id ?? ""), retryAfter);
  }
  const found = `status ${response.status} and ${response.headers.get("Content-Type") ?? "no content type"}`;
  const message = `The answer is ${found}, none of shizi's own; a proxy before it may have sent it.`;
  const requestId = response.headers.get("X-Request-ID") ?? "";
  return new Refused(message, response.status, `http_${response.status}`, requestId, retryAfter);
}

/** Read Retry-After: seconds, or a date as proxies send it (RFC 9110, 10.2.3). */
function readRetryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  if (/^\s*\d+\s*$/.test(value)) return Number(value);
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, (at - Date.now()) / 1000);
}
