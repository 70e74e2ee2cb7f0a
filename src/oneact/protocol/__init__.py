"""The protocol as pure functions over bytes and values: no I/O, no clock, no chance."""
