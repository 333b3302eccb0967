"""Starts the local AWS with three changes.

It switches Nagle's algorithm off, so that a warm invocation takes 12 ms instead of 52 ms. It lets a path with a line break
reach its route, as API Gateway does: without the change, the local AWS responds 404 itself, because its patterns stop at a line break.
And Cognito answers one call at a time: without the change, a sign-up that looks through all people answers 500 when another thread
adds somebody meanwhile.
"""

import asyncio
import socketserver

socketserver.StreamRequestHandler.disable_nagle_algorithm = True

from ministack.app import main  # noqa: E402  (the line above must come first)
from ministack.services import apigateway, cognito  # noqa: E402

# A code point that Unicode never assigns to a character.
LINE_BREAK = "\ufdd0"
extract_path_params = apigateway._extract_path_params


def extract_path_params_across_lines(route_path, request_path):
    found = extract_path_params(route_path, request_path.replace("\n", LINE_BREAK))
    return found and {name: value.replace(LINE_BREAK, "\n") for name, value in found.items()}


apigateway._extract_path_params = extract_path_params_across_lines


one_call = asyncio.Lock()
dispatch_idp = cognito._dispatch_idp


async def dispatch_idp_one_at_a_time(action, data):
    async with one_call:
        return await dispatch_idp(action, data)


cognito._dispatch_idp = dispatch_idp_one_at_a_time

main()
