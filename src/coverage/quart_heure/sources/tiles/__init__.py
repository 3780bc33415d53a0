"""Vector tiles: the lines that they hold, joined to a network."""
