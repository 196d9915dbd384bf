"""The graph's nodes: each a small function over the state, made with the services it needs."""
