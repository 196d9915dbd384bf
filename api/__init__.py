"""The HTTP surface: agent endpoint, tickets, account, markets."""
