"""People at the door: passwords, tokens, second factors, and how often one may try. Time and randomness come in."""
