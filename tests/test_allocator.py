"""How glibc holds memory in a process with threads that come and go."""

import subprocess
import sys

import pytest

_COUNT = """
import ctypes, threading
from myogestic_tui.allocator import use_one_arena

libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
libc.malloc.restype = ctypes.c_void_p
if {one}:
    use_one_arena()
together = threading.Barrier(4)

def work():
    together.wait()
    libc.malloc(1000)

threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
"""


def heaps(one: bool) -> int:
    done = subprocess.run([sys.executable, "-c", _COUNT.format(one=one)], capture_output=True, text=True, check=True)
    return done.stdout.count("<heap nr=")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's own matter")
def test_threads_share_one_arena():
    assert heaps(one=True) == 1
    assert heaps(one=False) > 1
