"""Run the command line as `python -m oneact.cli`."""

from oneact.cli import main

main()
