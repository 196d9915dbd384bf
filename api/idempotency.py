"""`Idempotency-Key`: a request that is repeated with the same key is answered, not carried out again."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import Header
from pydantic import BaseModel

from api.run_store import Claim

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Any unique text. Repeating the request with it within 24 h returns the first answer.",
    ),
]


def claim_of(key: str | None, operation: str, body: BaseModel) -> Claim | None:
    """The claim of a request, or None without a key; equal requests have equal fingerprints."""
    if key is None:
        return None
    content = f"{operation}\n{body.model_dump_json()}"
    return Claim(key, hashlib.sha256(content.encode()).hexdigest())
