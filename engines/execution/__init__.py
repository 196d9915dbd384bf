"""From an intent to a fill: risk, seal, submission, brokers, recovery."""
