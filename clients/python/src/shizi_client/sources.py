"""What can be read: a path, bytes, or bytes with a name."""

from __future__ import annotations

import os
from pathlib import Path

Source = str | os.PathLike[str] | bytes | tuple[str, bytes]


def load(source: Source) -> tuple[str, bytes]:
    """Give the name and the bytes of a source; a path is opened (OSError as `open` raises it)."""
    if isinstance(source, tuple):
        return source
    if isinstance(source, bytes):
        return "file", source
    path = Path(source)
    return path.name, path.read_bytes()
