"""Deterministic engines: the same arguments give the same answer.

No model, web framework, environment variable or wall clock is known here; data, limits and the
clock are arguments. I/O lives in `market`, `execution`, `ledger` and `storage` only.
"""
