"""Quantum Cipher: wave trend, money flow, RSI, Stoch RSI, crosses and dots."""
