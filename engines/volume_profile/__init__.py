"""Quantum Volume Profile: volume over price, point of control and value area."""
