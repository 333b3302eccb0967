"""Gives each valid request its own idempotency key. Schemathesis cannot know that the API refuses a key that came with another
request before."""

import uuid

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    headers = case.headers or {}
    generated = getattr(case.meta, "generation", None)
    is_positive = generated is None or generated.mode.is_positive
    if "idempotency-key" in headers and is_positive:
        headers["idempotency-key"] = str(uuid.uuid4())
