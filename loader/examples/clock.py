#!/usr/bin/env python3
"""clock.py - the same from Python, by ctypes: python3 clock.py [libuvdso.so]"""

import ctypes
import platform
import sys
import time

NAMES = {
    "aarch64": (b"__kernel_clock_gettime", b"LINUX_2.6.39"),
    "riscv64": (b"__vdso_clock_gettime", b"LINUX_4.15"),
}
NAME, VERSION = NAMES.get(platform.machine(), (b"__vdso_clock_gettime", b"LINUX_2.6"))


class Timespec(ctypes.Structure):
    _fields_ = [("sec", ctypes.c_long), ("nsec", ctypes.c_long)]


library = ctypes.CDLL(sys.argv[1] if len(sys.argv) > 1 else "libuvdso.so.0")
library.uvdso_symbol.restype = ctypes.c_void_p
library.uvdso_symbol.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]
library.uvdso_shutdown.argtypes = [ctypes.c_void_p]

vdso, why = ctypes.c_void_p(), ctypes.create_string_buffer(256)
if library.uvdso_boot(ctypes.byref(vdso), None, why, ctypes.c_size_t(len(why))):
    sys.exit(why.value.decode())
address = library.uvdso_symbol(vdso, NAME, VERSION)
gettime = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.POINTER(Timespec))(address)
now = Timespec()
gettime(time.CLOCK_MONOTONIC, ctypes.byref(now))
print(f"MONOTONIC by our vDSO {now.sec}.{now.nsec:09d}, by the kernel's {time.monotonic():.9f}")
library.uvdso_shutdown(vdso)
