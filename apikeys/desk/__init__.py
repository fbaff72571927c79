"""What is done at the desk about customers' keys. Each act asks for its role."""
