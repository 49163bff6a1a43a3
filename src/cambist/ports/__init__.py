"""What Cambist asks of the outside: Protocols only."""
