"""The proxy in front of a server of the Model Context Protocol that one does not own."""
