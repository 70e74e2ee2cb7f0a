"""The guard in front of the tools of MCP servers."""
