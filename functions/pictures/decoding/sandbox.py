"""What a decoder may do: compute. A decoder that a file has taken over gets no key and no socket.

Layers, each of which holds where the others are not to be had: no new privileges and no
capabilities; no files but programs and fonts (Landlock); no network, no other processes, nothing
that changes a file (seccomp); limits of the system. A platform may lack some (gVisor has no
Landlock, only Linux on two processors has what seccomp needs here); what is missing is told.
"""

from __future__ import annotations

import ctypes
import errno
import importlib.util
import os
import platform
import resource
import struct
import sys
from collections.abc import Callable, Iterator

_PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_CAPBSET_DROP = 4, 22, 24
_PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4
_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_THREAD = 0x10000000, 0x40000000, 0x00010000
# Programs, libraries and fonts; beside them Python, its packages and our own.
_READABLE = ("/usr", "/lib", "/lib64", "/etc/fonts", "/etc/ld.so.cache")
_DECODERS = ("PIL", "pyvips", "pillow_heif", "pillow_jxl", "pypdfium2", "av")

_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
# What a kernel's version of Landlock knows to forbid: files, TCP, abstract sockets and signals.
_FILE_RIGHTS = {1: 1 << 13, 2: 1 << 14, 3: 1 << 15, 4: 1 << 15}
_NEWEST_FILE_RIGHTS = 1 << 16


class Unavailable(Exception):
    """The platform does not offer this layer."""


def guard_secrets() -> None:
    """Keep other processes of this user, a decoder's too, from reading this one's memory and
    environment."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def enter() -> list[str]:
    """Give up, for good, what a decoder does not need. Returns the names of missing layers."""
    if sys.platform != "linux":
        return ["all: this is not Linux"]
    missing = []
    for layer in _LAYERS:
        try:
            layer()
        except (Unavailable, OSError, AttributeError) as error:
            missing.append(f"{layer.__name__.strip('_')} ({error})")
    return missing


def _limits() -> None:
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
        # Counted over all of the user's: a desktop has thousands of threads.
        (resource.RLIMIT_NPROC, 8192),
    ):
        hard = resource.getrlimit(limit)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))


def _network_namespace() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    flags = _CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWNET | _CLONE_NEWUSER
    _checked(libc.unshare(flags))


def _privileges() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    for capability in range(64):
        if libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0):
            break
    header = struct.pack("<Ii", 0x20080522, 0)
    _checked(libc.capset(header, bytes(24)))


def _landlock() -> None:
    version = _syscall(_LANDLOCK_CREATE, None, 0, 1)
    rights = _FILE_RIGHTS.get(version, _NEWEST_FILE_RIGHTS) - 1
    tcp = 0b11 if version >= 4 else 0
    scoped = 0b11 if version >= 6 else 0
    attributes = struct.pack("<QQQ", rights, tcp, scoped)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    rules = _syscall(_LANDLOCK_CREATE, attributes, size, 0)
    try:
        for path in _readable():
            folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
            allowed = _READ_FILE | (_READ_DIR if os.path.isdir(path) else 0)
            try:
                _syscall(_LANDLOCK_ADD, rules, 1, struct.pack("<Qi", allowed, folder), 0)
            finally:
                os.close(folder)
        _syscall(_LANDLOCK_RESTRICT, rules, 0)
    finally:
        os.close(rules)


def _readable() -> Iterator[str]:
    """Not all that Python imports from: a working folder may be somebody's home, keys and all."""
    ours = os.path.dirname(os.path.abspath(sys.modules["functions"].__file__ or ""))
    installed = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    for name in _DECODERS:  # wherever else they were put
        if (found := importlib.util.find_spec(name)) and found.origin:
            installed.append(os.path.dirname(os.path.dirname(found.origin)))
    for path in {*_READABLE, sys.prefix, sys.base_prefix, ours, *installed}:
        if os.path.exists(path):
            yield path


def _seccomp() -> None:
    machine = platform.machine()
    if machine not in _MACHINES:
        raise Unavailable(f"unknown processor {machine}")
    program = b"".join(_program(*_MACHINES[machine]))
    buffer = ctypes.create_string_buffer(program)
    filters = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.prctl(_PR_SET_SECCOMP, 2, filters, 0, 0))


# System calls that are refused: name, number on x86-64, number on AArch64.
_REFUSED = """
socket 41 198, socketpair 53 199, connect 42 203, bind 49 200, listen 50 201, accept 43 202,
accept4 288 242, sendto 44 206, sendmsg 46 211, recvfrom 45 207, recvmsg 47 212, execve 59 221,
execveat 322 281, ptrace 101 117, process_vm_readv 310 270, process_vm_writev 311 271, kill 62
129, tkill 200 130, pidfd_open 434 434, pidfd_getfd 438 438, pidfd_send_signal 424 424,
io_uring_setup 425 425, io_uring_enter 426 426, io_uring_register 427 427, bpf 321 280,
perf_event_open 298 241, userfaultfd 323 282, keyctl 250 219, add_key 248 217, request_key 249
218, mount 165 40, umount2 166 39, unshare 272 97, setns 308 268, pivot_root 155 41, chroot 161
51, open_by_handle_at 304 265, mknodat 259 33, mkdirat 258 34, unlinkat 263 35, renameat 264 38,
renameat2 316 276, linkat 265 37, symlinkat 266 36, fchmodat 268 53, fchownat 260 54, truncate
76 45, fork 57 -, vfork 58 -, mkdir 83 -, rmdir 84 -, unlink 87 -, rename 82 -, link 86 -,
symlink 88 -, chmod 90 -, chown 92 -, lchown 94 -, mknod 133 -
"""


def _numbers(column: int) -> list[int]:
    found = [call.split()[column] for call in _REFUSED.strip().split(",")]
    return [int(number) for number in found if number != "-"]


# By machine: AUDIT_ARCH, refused calls, clone, clone3, tgkill.
_MACHINES: dict[str, tuple[int, list[int], int, int, int]] = {
    "x86_64": (0xC000003E, _numbers(1), 56, 435, 234),
    "aarch64": (0xC00000B7, _numbers(2), 220, 435, 131),
}
_LOAD, _EQUAL, _ABOVE, _SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000


def _program(
    arch: int, refused: list[int], clone: int, clone3: int, tgkill: int
) -> Iterator[bytes]:
    """A filter that refuses these calls, and a clone or a signal that leaves the process."""

    def step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
        return struct.pack("<HBBI", code, then, otherwise, value)

    denied = step(_RETURN, _ERRNO | errno.EPERM)
    yield step(_LOAD, 4)
    yield step(_EQUAL, arch, 1, 0)
    yield step(_RETURN, _KILL)
    yield step(_LOAD, 0)
    yield step(_ABOVE, 0x40000000, 0, 1)  # x86-64's second numbering
    yield denied
    yield step(_EQUAL, clone3, 0, 1)  # its flags cannot be seen: the library falls back to clone
    yield step(_RETURN, _ERRNO | errno.ENOSYS)
    for number in refused:
        yield step(_EQUAL, number, 0, 1)
        yield denied
    yield step(_EQUAL, clone, 0, 4)
    yield step(_LOAD, 16)  # the first argument: flags
    yield step(_SET, _CLONE_THREAD, 0, 1)
    yield step(_RETURN, _ALLOW)
    yield denied
    yield step(_EQUAL, tgkill, 0, 4)
    yield step(_LOAD, 16)
    yield step(_EQUAL, os.getpid(), 0, 1)
    yield step(_RETURN, _ALLOW)
    yield denied
    yield step(_RETURN, _ALLOW)


def _syscall(number: int, *arguments: bytes | int | None) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    passed = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return _checked(libc.syscall(ctypes.c_long(number), *passed))


def _checked(result: int) -> int:
    if result < 0:
        raise Unavailable(os.strerror(ctypes.get_errno()))
    return result


# In this order: a namespace needs the privileges that go next, and seccomp refuses the others.
_LAYERS: tuple[Callable[[], None], ...] = (
    *(_limits, _network_namespace, _privileges, _landlock, _seccomp),
)
