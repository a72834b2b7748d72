"""What is wrong with a PostgreSQL, by what it answers; a module a subject."""
