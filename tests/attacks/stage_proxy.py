"""What the attacks on the proxy in front of tool servers stand on."""

from tests.gateway.conftest import play
from tests.gateway.test_wire import raw

__all__ = ["play", "raw"]
