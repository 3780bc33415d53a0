"""Many territories: the same analysis of each, on as many workers as there are."""
