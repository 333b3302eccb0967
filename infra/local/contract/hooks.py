"""What Schemathesis cannot know of the API: a key that came with one request is refused with another, so each request that is
to be accepted gets a key of its own."""

import uuid

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    headers = case.headers or {}
    generated = getattr(case.meta, "generation", None)
    is_positive = generated is None or generated.mode.is_positive
    if "idempotency-key" in headers and is_positive:
        headers["idempotency-key"] = str(uuid.uuid4())
