"""What a new process finds in a folder: run with the adapter's address and the folder."""

import sys
from pathlib import Path

from medtwin.twin_suite.restart import digest
from medtwin.twin_suite.suite import named


def main(address: str, home: str) -> None:
    """Write the digest of the state to stdout."""
    system = named(address).open(Path(home))
    try:
        sys.stdout.write(digest(system.state()))
    finally:
        system.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
