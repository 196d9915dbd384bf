"""Markets: where candles and quotes come from."""
