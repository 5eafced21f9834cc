"""What every disk can do, and what is done where it cannot: shares neither sync nor lock as a disk of one's own does.

Synced is what can be: where a share refuses, a power cut may cost the last file, and no run is refused for it.
"""

from __future__ import annotations

import errno
import os
import tempfile
import uuid
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock

CANNOT = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}
# Of folders: some shares let nobody open one.
REFUSED = {*CANNOT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.EBADF}


def sync(descriptor: int) -> None:
    """Have an open file on the disk before going on, where the disk can do that."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in CANNOT:
            raise


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk before going on, where the disk can do that."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in REFUSED:
            raise


def write_synced(path: Path, content: bytes) -> None:
    """Write a file and have it on the disk before going on."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        sync(file.fileno())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: to a temporary name beside it, synced, renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        write_synced(temporary, content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def lock_at(path: Path) -> BaseFileLock:
    """A lock, not yet held, that all processes share which ask for it at this path; its folder must be there.

    The operating system's, which ends with its process. Where the disk has none, a file beside it that names its
    process: on the same machine it counts no more once that process has gone. OSError if neither can be.
    """
    from filelock import FileLock, SoftFileLock, Timeout

    lock = FileLock(path, thread_local=False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says so where it falls back by itself
            lock.acquire(blocking=False)
        lock.release()
    except Timeout:
        pass
    except OSError as error:
        if error.errno not in CANNOT:
            raise
        return SoftFileLock(path.with_name(f"{path.name}.held"), thread_local=False)
    return lock


def home() -> Path | None:
    """The user's own folder; None for one who has none, as in a container: nobody in the list of users, no $HOME."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def own_temporary() -> Path:
    """A folder for the user who has no home, below that for temporary files. OSError if somebody else has it."""
    folder = Path(tempfile.gettempdir()) / f"lecturebench-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    about = folder.lstat()
    if about.st_uid != os.getuid() or not folder.is_dir() or folder.is_symlink():
        raise PermissionError(errno.EPERM, "somebody else has this folder", str(folder))
    return folder
