"""A bank that pays only with a person's approval, and an agent that asks it to."""
