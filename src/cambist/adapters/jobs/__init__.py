"""Jobs as durable workflows."""
