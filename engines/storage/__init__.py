"""One schema on two databases: SQLite files in the home folder, or PostgreSQL."""
