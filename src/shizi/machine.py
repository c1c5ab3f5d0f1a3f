"""Machine: how much memory this process holds and may still take. Knows the kernel's files, nothing of OCR."""

import os
from pathlib import Path


def own_memory() -> int:
    """Give the bytes of memory this process holds; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


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
