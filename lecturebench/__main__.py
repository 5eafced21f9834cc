"""``python -m lecturebench`` is the same as ``lecturebench``."""

import sys

from lecturebench.cli import main

if __name__ == "__main__":
    sys.exit(main())
