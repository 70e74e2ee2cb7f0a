"""The guard beside a service in any language: it verifies, spends and signs; the service itself executes."""
