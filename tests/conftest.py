"""The long run looks at many more examples of each property, however slow one of them is."""

from hypothesis import settings

from tests.rounds import LONG

settings.register_profile("long", max_examples=2000, deadline=None)
if LONG:
    settings.load_profile("long")
