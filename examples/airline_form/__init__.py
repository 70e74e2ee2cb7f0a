"""An airline with an ordinary web site, whose form a browsing agent fills in."""
