"""Every error a caller can meet, with its exit code and HTTP status.

    ShiziError                    1   500
    ├── InputError               10   400   the bytes given
    │   ├── UnsupportedFormat    11   415
    │   ├── DamagedFile          12   422
    │   ├── TooLarge             13   413
    │   ├── EncryptedPdf         14   422
    │   ├── UnknownJob           15   404
    │   └── NotFinished          16   409
    ├── OptionsError             20   400   what the caller asked for
    ├── WeightsError             30   500   a model file
    ├── Busy                     40   429   try again after retry_seconds
    │   ├── Stopping             41   503
    │   ├── WorkerLost           42   503   the process that read died
    │   ├── DeadlinePassed       43   504
    │   └── Unavailable          44   503   what jobs or results are kept in cannot be written or reached
    └── AccessError              50   403
        ├── KeyMissing           51   401
        ├── KeyRefused           52   403
        └── QuotaSpent           53   429

A message says what was found, what was expected and what to do. It never holds recognised text.
"""

from typing import ClassVar


class ShiziError(Exception):
    """Say that shizi could not do what was asked."""

    code: ClassVar[str] = "internal"
    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InputError(ShiziError):
    """Say that the bytes given cannot be read."""

    code = "input"
    exit_code = 10
    http_status = 400


class UnsupportedFormat(InputError):
    """Say that the bytes are of a format shizi does not read."""

    code = "unsupported_format"
    exit_code = 11
    http_status = 415


class DamagedFile(InputError):
    """Say that the format is known but the file is broken or empty."""

    code = "damaged_file"
    exit_code = 12
    http_status = 422


class TooLarge(InputError):
    """Say that a limit on bytes, pixels or frames is passed."""

    code = "too_large"
    exit_code = 13
    http_status = 413


class EncryptedPdf(InputError):
    """Say that a PDF cannot be opened without its password."""

    code = "encrypted_pdf"
    exit_code = 14
    http_status = 422


class UnknownJob(InputError):
    """Say that there is no such job, or no longer."""

    code = "unknown_job"
    exit_code = 15
    http_status = 404


class NotFinished(InputError):
    """Say that a job has no whole result: it is still being read, or was cancelled."""

    code = "not_finished"
    exit_code = 16
    http_status = 409


class OptionsError(ShiziError):
    """Say that an option is unknown or has a value outside its range."""

    code = "options"
    exit_code = 20
    http_status = 400


class WeightsError(ShiziError):
    """Say that a model file is missing, altered or not of the expected shape."""

    code = "weights"
    exit_code = 30


class Busy(ShiziError):
    """Say that the service takes no more work now; `retry_seconds` tells when to come again."""

    code = "busy"
    exit_code = 40
    http_status = 429

    def __init__(self, message: str, retry_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_seconds = retry_seconds


class Stopping(Busy):
    """Say that the service is shutting down."""

    code = "stopping"
    exit_code = 41
    http_status = 503


class WorkerLost(Busy):
    """Say that the process reading this input died in the middle."""

    code = "worker_lost"
    exit_code = 42
    http_status = 503


class DeadlinePassed(Busy):
    """Say that the reading did not end by its deadline."""

    code = "deadline"
    exit_code = 43
    http_status = 504


class Unavailable(Busy):
    """Say that what jobs or results are kept in cannot be written or reached."""

    code = "unavailable"
    exit_code = 44
    http_status = 503


class AccessError(ShiziError):
    """Say that the caller may not do this."""

    code = "access"
    exit_code = 50
    http_status = 403


class KeyMissing(AccessError):
    """Say that no key came with the request."""

    code = "key_missing"
    exit_code = 51
    http_status = 401


class KeyRefused(AccessError):
    """Say that the key is not known or not allowed to do this."""

    code = "key_refused"
    exit_code = 52
    http_status = 403


class QuotaSpent(AccessError):
    """Say that the key has used up what it may use; `retry_seconds` tells when to come again."""

    code = "quota_spent"
    exit_code = 53
    http_status = 429

    def __init__(self, message: str, retry_seconds: int = 60) -> None:
        super().__init__(message)
        self.retry_seconds = retry_seconds
