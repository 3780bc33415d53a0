"""The pages of many territories: a list of all, and a map of all."""
