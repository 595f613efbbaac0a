"""`python -m kindred` is `kindred`."""

from __future__ import annotations

import sys

from kindred.cli import main

if __name__ == "__main__":
    sys.exit(main())
