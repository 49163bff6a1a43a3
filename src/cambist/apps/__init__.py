"""Front doors, settings, and the one place where everything is wired."""
