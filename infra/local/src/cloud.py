"""Starts the local AWS. Without Nagle's algorithm a warm invocation takes 12 ms instead of 52."""

import socketserver

socketserver.StreamRequestHandler.disable_nagle_algorithm = True

from ministack.app import main  # noqa: E402  (the line above must come first)

main()
