"""How often a test of races, kills or chance does it again: `make test-long` sets ONEACT_ROUNDS to `long`."""

import os

_ASKED = os.environ.get("ONEACT_ROUNDS", "")
LONG = _ASKED == "long"


def rounds(usual: int, long: int) -> int:
    """Give so many rounds as usual, or as in the long run; a number in ONEACT_ROUNDS caps the usual ones."""
    if LONG:
        return long
    return min(usual, int(_ASKED)) if _ASKED else usual
