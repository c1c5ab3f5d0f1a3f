"""Machine: how much memory this process holds and may still take, and giving back what it does not need.

Knows the kernel's files and the C library's allocator, nothing of OCR.
"""

import ctypes
import os
from pathlib import Path


def own_memory() -> int:
    """Give the bytes of memory this process holds; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


# Less is not worth the page faults of taking it again: given back after every page, pages took a sixth longer.
KEPT = 300 * 2**20


# glibc's M_MMAP_THRESHOLD, and from which size on blocks come from the system and go back to it, each by itself. As it
# comes, the bound rises with every such block freed, up to 32 MB; pages then tear the heap (docs/decisions/006).
_MMAP_THRESHOLD, APART = -3, 16 * 2**20


def keep_large_blocks_apart() -> None:
    """Let glibc, where it is the C library and not told otherwise, take no block of `APART` bytes from its heap."""
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None and "MALLOC_MMAP_THRESHOLD_" not in os.environ:
        set_option(_MMAP_THRESHOLD, APART)


def give_memory_back(kept: int = KEPT) -> None:
    """Hand the system what was freed here, where this process holds more than `kept` bytes.

    The C library's allocator, glibc's, keeps it: after 600 odd pictures 150 of 340 MB. Others are left alone.
    """
    if own_memory() <= kept:
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def free_memory() -> int | None:
    """Give the bytes of memory this process may still take, cut by the cgroup's limit; None if unknown."""
    try:
        rows = dict(row.split(":", 1) for row in Path("/proc/meminfo").read_text().splitlines())
        free = int(rows["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None
    try:
        group = Path("/sys/fs/cgroup")
        limit = int((group / "memory.max").read_text())
        return min(free, limit - int((group / "memory.current").read_text()))
    except (OSError, ValueError):  # no limit ("max"), or no such cgroup
        return free
