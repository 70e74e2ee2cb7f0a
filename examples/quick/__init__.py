"""The shortest way: a service of one file with its approval server inside."""
