"""Settings: what one service process is run with, from the environment (`SHIZI_...`) or the command line.

Every default is written here and nowhere else. A setting holds for the life of the process; what a caller may
choose for one reading is in `shizi.options`.
"""

from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shizi.errors import OptionsError
from shizi.pages import Limits

PREFIX = "SHIZI_"


class Settings(BaseSettings):
    """The settings of one service; each is also the environment variable `SHIZI_` + its name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 lets other machines in")
    port: int = Field(5000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    workers: int = Field(1, ge=1, le=64, description="processes, each with its own models")
    threads: int = Field(
        0,
        ge=0,
        le=256,
        description="CPU threads of each worker; 0 shares this machine's quota among the workers",
    )
    readings: int = Field(1, ge=1, le=64, description="readings at once in each worker")
    queue: int = Field(16, ge=0, le=1000, description="requests that may wait in each worker; beyond them 429")
    wait_seconds: float = Field(30, gt=0, le=3600, description="longest wait for a turn; after it 429")
    stop_seconds: int = Field(30, ge=1, le=3600, description="time for running requests after SIGTERM")
    max_bytes: int = Field(5_000_000, ge=1, description="largest upload, all its pictures together; beyond it 413")
    max_files: int = Field(20, ge=1, le=1000, description="most pictures in one request; beyond them 413")
    max_pixels: int = Field(Limits().pixels, ge=1, description="largest page in pixels; beyond it 413")
    max_frames: int = Field(200, ge=1, description="most pages read of one file")
    templates: str = Field("", description="folder of the templates that requests may name; empty: none")

    @property
    def limits(self) -> Limits:
        """What one picture may measure."""
        return Limits(bytes=self.max_bytes, pixels=self.max_pixels, frames=self.max_frames)


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
