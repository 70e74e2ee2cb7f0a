"""A small Django site whose agents may publish a note; docs/django.md has it file by file."""
