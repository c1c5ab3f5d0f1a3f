"""Settings: what one service process is run with, from the environment (`SHIZI_...`) or the command line.

Every default is written here and nowhere else. A setting holds for the life of the process; what a caller may
choose for one reading is in `shizi.options`.
"""

import re
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shizi.corrections import Retention
from shizi.errors import OptionsError
from shizi.pages import Limits

PREFIX = "SHIZI_"

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?|https?://\[[0-9A-Fa-f:]+\](:\d{1,5})?")


class Settings(BaseSettings):
    """The settings of one service; each is also the environment variable `SHIZI_` + its name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 lets other machines in")
    port: int = Field(5000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    workers: int = Field(
        1, ge=1, le=64, description="processes that read, each with its own models, one picture at a time"
    )
    threads: int = Field(
        0,
        ge=0,
        le=256,
        description="CPU threads of each worker; 0 shares this machine's quota among the workers",
    )
    # Read by `shizi.weights` itself, in every process and for every door; here it is checked and told.
    precision: Literal["auto", "fp32", "int8"] = Field(
        "auto", description="numbers the models compute in: `fp32`, `int8`, or int8 where the processor has VNNI"
    )
    queue: int = Field(64, ge=0, le=1000, description="requests that may wait; beyond them 429")
    queue_megapixels: float = Field(
        128, gt=0, description="pixels that may wait, guessed from the pictures' headers; beyond them 429"
    )
    wait_seconds: float = Field(30, gt=0, le=3600, description="longest wait for a turn; after it 429")
    deadline_seconds: float = Field(
        120,
        gt=0,
        le=86_400,
        description="longest time a request or a job's page may take; a worker that reads on is ended",
    )
    worker_megabytes: int = Field(
        1500, ge=0, description="memory at which a worker is replaced between readings; 0 never replaces one"
    )
    body_seconds: float = Field(30, gt=0, le=3600, description="time in which a request must have come in whole")
    stop_seconds: int = Field(30, ge=1, le=3600, description="time for running requests after SIGTERM")
    max_bytes: int = Field(5_000_000, ge=1, description="largest upload, all its pictures together; beyond it 413")
    max_files: int = Field(20, ge=1, le=1000, description="most pictures in one request; beyond them 413")
    max_pixels: int = Field(Limits().pixels, ge=1, description="largest page in pixels; beyond it 413")
    max_frames: int = Field(200, ge=1, description="most pages read of one file")
    templates: str = Field("", description="folder of the templates that requests may name; empty: none")
    recogniser: str = Field(
        "", description="recogniser of others, an ONNX file, in place of the strong one; empty: the strong one"
    )
    keys: str = Field("", description="file of the keys that callers need; empty: anyone may call")
    cors_origins: str = Field("", description="origins whose web pages may call, with commas between; empty: none")
    compat_root: Literal["", "rapidocr", "umi", "paddlex", "baidu"] = Field(
        "", description="service whose routes answer at / too, for callers who can change the host alone"
    )
    failures: str = Field("", description="folder that keeps pictures which could not be read; empty: none is kept")
    failures_bytes: int = Field(100_000_000, ge=1, description="most bytes kept there; the oldest go first")
    models: str = Field("", description="folder of promoted models; empty: the shipped ones are read with")
    corrections: str = Field("", description="folder that keeps lines which callers put right; empty: none is kept")
    corrections_lines: int = Field(100_000, ge=1, description="most lines kept there; the oldest go first")
    corrections_bytes: int = Field(500_000_000, ge=1, description="most bytes of their pictures; the oldest go first")
    corrections_days: float = Field(365, ge=0, description="how long a line is kept there; 0: for good")

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, value: str) -> str:
        for origin in filter(None, map(str.strip, value.split(","))):
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin[:80]!r} is no origin such as https://desk.example.org")
        return value

    @property
    def origins(self) -> frozenset[str]:
        """The origins whose web pages may call."""
        return frozenset(filter(None, map(str.strip, self.cors_origins.split(","))))

    cache: str = Field(
        "memory", description="where finished readings are kept: `off`, `memory`, a file's path or a Redis address"
    )
    cache_seconds: float = Field(600, gt=0, description="how long a reading is kept in the cache")
    cache_bytes: int = Field(
        64_000_000, ge=1, description="most bytes kept in the cache (in Redis, its own limit holds)"
    )
    jobs: str = Field("", description="where jobs are kept: a folder's path or a Redis address; empty takes no jobs")
    job_bytes: int = Field(
        100_000_000, ge=1, description="largest upload of a job, all its files together; beyond it 413"
    )
    job_files: int = Field(200, ge=1, le=100_000, description="most files in one job; beyond them 413")
    job_keep_seconds: float = Field(86_400, gt=0, description="how long a finished job is kept")
    job_lease_seconds: float = Field(
        15, ge=1, le=3600, description="after this silence of its worker a page is read again"
    )
    job_tries: int = Field(
        3, ge=1, le=100, description="how often a page may bring its worker down before it is given up"
    )
    webhook_hosts: str = Field("", description="hosts that jobs may report to, with commas between; empty allows none")
    webhook_secret: str = Field("", repr=False, description="what signs the reports of jobs; without it none is sent")

    @property
    def retention(self) -> Retention:
        """What may be kept of corrections."""
        return Retention(self.corrections_lines, self.corrections_bytes, self.corrections_days)

    @property
    def limits(self) -> Limits:
        """What one picture may measure."""
        return Limits(bytes=max(self.max_bytes, self.job_bytes), pixels=self.max_pixels, frames=self.max_frames)


def load(**chosen: Any) -> Settings:
    """Read the settings from the environment; `chosen` values that are not None go before it.

    Raises OptionsError naming the first setting that has an unusable value.
    """
    try:
        return Settings(**{name: value for name, value in chosen.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise OptionsError(
            f"Setting {name!r} ({PREFIX}{name.upper()}) is {str(first['input'])[:40]!r}: {first['msg']}."
        ) from error
