"""The words of the desk as types: candles, instruments, orders, time."""
