"""What this process holds, and gives back."""

import ctypes
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
