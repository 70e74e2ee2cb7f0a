"""An airline that books only with a person's approval, and an agent that asks it to."""
