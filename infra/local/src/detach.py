"""Starts a long-lived process in a session of its own, so that closing the terminal does not end it. The process id stays."""

import os
import sys

os.setsid()
os.execv(sys.argv[1], sys.argv[1:])
