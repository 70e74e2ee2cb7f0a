"""Ordinary HTML forms: a submission without an approval is held until its person has approved exactly that."""
