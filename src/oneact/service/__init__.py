"""The check in front of a handler: what the owner of a service uses."""
