"""What can go wrong, as types. The tree is that of docs/errors.md, with the service's own codes.

ShiziError
├── ConnectionFailed         no answer came: nobody listens, or the connection broke
├── TimedOut                 no answer came in time, or a job was not over in time
├── UnexpectedAnswer         an answer that is none of shizi's: another program, a proxy, a redirect
├── JobFailed                a job ended without a page read, or was cancelled (`job`)
└── Refused                  the service said no: `status`, `code`, `message`, `request_id`, `retry_after`
    ├── InternalError
    ├── InputError           UnsupportedFormat · DamagedFile · TooLarge · EncryptedPdf · UnknownJob · NotFinished
    ├── OptionsError
    ├── WeightsError
    ├── Busy                 Stopping · WorkerLost · DeadlinePassed · Unavailable
    └── AccessError          KeyMissing · KeyRefused · QuotaSpent
"""

from __future__ import annotations

from shizi_client.models import Job


class ShiziError(Exception):
    """Whatever this package raises; `message` says what was found, what was expected, what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ConnectionFailed(ShiziError):
    """Say that no answer came: nobody listens there, or the connection broke."""


class TimedOut(ShiziError):
    """Say that no answer came in time, or that a job was not over in time."""


class UnexpectedAnswer(ShiziError):
    """Say that the answer is none of shizi's."""


class JobFailed(ShiziError):
    """Say that a job ended without a result; `job` tells why."""

    def __init__(self, job: Job) -> None:
        reason = job.errors[0].error if job.errors else "no page was read"
        super().__init__(f"The job {job.id} is {job.state}: {reason}")
        self.job = job


class Refused(ShiziError):
    """Say that the service said no. `retry_after`: seconds after which it wants to be asked again, None if never."""

    code = ""

    def __init__(
        self, message: str, status: int, code: str = "", request_id: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code or self.code
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.message} ({self.code}, request {self.request_id})" if self.request_id else self.message


class InternalError(Refused):
    """Say that the service itself failed; its log tells more under the request's id."""

    code = "internal"


class InputError(Refused):
    """Say that there is no usable picture."""

    code = "input"


class UnsupportedFormat(InputError):
    """Say that the bytes are of a kind that is not read."""

    code = "unsupported_format"


class DamagedFile(InputError):
    """Say that the file is broken, cut short or empty."""

    code = "damaged_file"


class TooLarge(InputError):
    """Say that a limit on bytes, pixels or files is passed."""

    code = "too_large"


class EncryptedPdf(InputError):
    """Say that a PDF needs its password, or another one."""

    code = "encrypted_pdf"


class UnknownJob(InputError):
    """Say that there is no such job, or no longer."""

    code = "unknown_job"


class NotFinished(InputError):
    """Say that the job has no whole result."""

    code = "not_finished"


class OptionsError(Refused):
    """Say that an option is unknown or has a refused value."""

    code = "options"


class WeightsError(Refused):
    """Say that a model file of the service is missing or altered."""

    code = "weights"


class Busy(Refused):
    """Say that the service takes no more work now."""

    code = "busy"


class Stopping(Busy):
    """Say that the service is shutting down."""

    code = "stopping"


class WorkerLost(Busy):
    """Say that the process that read this input died."""

    code = "worker_lost"


class DeadlinePassed(Busy):
    """Say that the reading did not end by its deadline."""

    code = "deadline"


class Unavailable(Busy):
    """Say that what jobs or keys are kept in is full or out of reach."""

    code = "unavailable"


class AccessError(Refused):
    """Say that the caller may not do this."""

    code = "access"


class KeyMissing(AccessError):
    """Say that no key came with the request."""

    code = "key_missing"


class KeyRefused(AccessError):
    """Say that the key is unknown or revoked."""

    code = "key_refused"


class QuotaSpent(AccessError):
    """Say that the key asks too often or has used up its day."""

    code = "quota_spent"


def _by_code(kind: type[Refused]) -> dict[str, type[Refused]]:
    found = {kind.code: kind}
    for child in kind.__subclasses__():
        found |= _by_code(child)
    return found


BY_CODE = _by_code(Refused)
