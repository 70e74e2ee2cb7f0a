"""The log as pure functions: the form of an entry and its salted commitment."""
