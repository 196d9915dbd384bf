"""The `quantum-trader` command."""
