"""The map: one page that holds the city and its figures, and asks nobody for anything."""
