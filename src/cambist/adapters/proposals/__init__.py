"""What proposes the next combinations: Optuna."""
