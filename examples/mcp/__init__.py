"""MCP: a server of ours behind the guard, and a server of others behind the proxy."""
