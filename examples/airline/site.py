"""The airline's pages: those of the examples, under its own name."""

from functools import partial

from examples.looks import page as page_of

page = partial(page_of, "✈ Example Air")
