"""A deploy service that deploys only with a person's approval, and a CI job that asks it to."""
