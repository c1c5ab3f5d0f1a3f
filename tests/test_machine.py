"""What this process holds, and gives back."""

import ctypes
import os
import subprocess
import sys

import pytest

from shizi import machine

PIECE, PIECES = 60_000, 2_000  # below what the C library takes from the system by itself and gives back by itself


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason=f"no glibc on {sys.platform}")
def test_what_was_freed_is_given_back() -> None:
    library = ctypes.CDLL(None)
    library.malloc.restype = ctypes.c_void_p
    pieces = [library.malloc(PIECE) for _ in range(PIECES)]
    for piece in pieces:
        ctypes.memset(piece, 1, PIECE)
    held = library.malloc(PIECE)  # above them: without being asked, the library keeps what lies below
    for piece in pieces:
        library.free(ctypes.c_void_p(piece))
    before = machine.own_memory()
    machine.give_memory_back(before)  # no more than may be kept is held
    assert machine.own_memory() > before - PIECE * PIECES // 2
    machine.give_memory_back(0)
    assert machine.own_memory() < before - PIECE * PIECES // 2
    library.free(ctypes.c_void_p(held))


LARGE_BLOCKS = """
import ctypes
from shizi import machine

library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
library.free.argtypes = [ctypes.c_void_p]
machine.keep_large_blocks_apart()
library.free(library.malloc(31 << 20))  # as it comes, glibc takes blocks up to this size from its heap from now on


class Usage(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd a b c d e".split()]


library.mallinfo2.restype = Usage
before = library.mallinfo2().hblks
library.malloc(20 << 20)
print(library.mallinfo2().hblks - before)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason=f"no glibc on {sys.platform}")
@pytest.mark.parametrize(("told", "apart"), [({}, "1"), ({"MALLOC_MMAP_THRESHOLD_": "30000000"}, "0")])
def test_large_blocks_stay_out_of_the_heap_unless_told_otherwise(told: dict[str, str], apart: str) -> None:
    run = subprocess.run([sys.executable, "-c", LARGE_BLOCKS], env=os.environ | told, capture_output=True, text=True)
    assert run.stdout.strip() == apart, run.stderr
