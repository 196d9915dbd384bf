"""What people use: a chat in the browser and a terminal, both clients of the HTTP surface."""
