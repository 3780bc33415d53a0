"""Hours: when a place is open, from what people wrote."""
