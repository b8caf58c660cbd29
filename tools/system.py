"""What the machine itself must have, checked before it is missed: `system.py openmp|browser`.

Standard library only: this runs before anything is installed.
"""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence


def openmp() -> None:
    """The OpenMP library that LightGBM's wheel expects to find on a Linux machine."""
    if sys.platform != "linux" or _loads("libgomp.so.1"):
        return
    if not _apt_install("libgomp1"):
        sys.exit(
            "LightGBM needs libgomp.so.1, which is not on this machine; it comes with Debian's "
            "libgomp1 (`sudo apt-get install libgomp1`) or Fedora's libgomp; then run make again"
        )


def browser() -> None:
    """A Chromium for the browser tests: Debian's own for root, playwright's for others."""
    if any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        return
    if not _apt_install("chromium"):
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _apt_install(package: str) -> bool:
    """Whether root on a Debian could install it."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    print(f"installing {package} with apt-get ...", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    get: Sequence[str] = ("apt-get", "-qq", "-y")
    subprocess.run([*get, "update"], env=quiet, check=False, stdout=subprocess.DEVNULL)
    install = [*get, "install", "--no-install-recommends", package]
    return (
        subprocess.run(install, env=quiet, check=False, stdout=subprocess.DEVNULL).returncode == 0
    )


if __name__ == "__main__":
    {"openmp": openmp, "browser": browser}[sys.argv[1]]()
