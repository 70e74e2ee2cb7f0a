"""The server's OAuth endpoints: they translate between HTTP and the use cases, and decide nothing."""

from oneact.server.oauth.routes import routes

__all__ = ["routes"]
