"""Pages of the desk about one customer, and what can be done there. Each act asks for its role."""
