#!/usr/bin/env python
"""Django's command line for Sequence Portal."""

import os
import sys

from django.core.management import execute_from_command_line

from sequence_portal.custody import leave_no_core_dump

if __name__ == "__main__":
    # `rotate_seal_key` opens stored secrets.
    leave_no_core_dump()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sequence_portal.settings")
    execute_from_command_line(sys.argv)
