"""What Cambist costs, beside its peers. ``python -m bench`` measures and writes RESULTS.md."""
