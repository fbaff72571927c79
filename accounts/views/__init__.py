"""Pages of the entrance and of a person's own account."""
