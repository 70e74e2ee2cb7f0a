"""The approval server."""
