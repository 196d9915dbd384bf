"""The journal of tickets, decisions, orders and fills, and what follows from them."""
