"""Starts a long-lived process in its own session, so that closing the terminal does not end it. The process id stays the same."""

import os
import sys

os.setsid()
os.execv(sys.argv[1], sys.argv[1:])
