"""Tools of MCP servers behind the guard."""
