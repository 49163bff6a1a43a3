"""What the decision decides on."""
