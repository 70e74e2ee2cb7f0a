"""The pages that a person sees: what they are shown, and where their passkey is asked for."""

from oneact.server.pages.routes import routes

__all__ = ["routes"]
