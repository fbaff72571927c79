"""`python -m bench.child MODULE FILE`: runs one part, whose figures go into the file as JSON.

A process for each part, since Django knows one database and one broker, and since what an earlier part
imported or left in memory would change the figures of the next.
"""

import importlib
import json
import logging
import os
import shutil
import sys
from pathlib import Path

import django


def main(module: str, file: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"
    django.setup()
    logging.disable(logging.INFO)  # what this process logs; the portal's processes write logs of their own
    try:
        figures = importlib.import_module(module).measure()
    finally:
        shutil.rmtree(os.environ["PORTAL_TEST_DIR"], ignore_errors=True)
    Path(file).write_text(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
