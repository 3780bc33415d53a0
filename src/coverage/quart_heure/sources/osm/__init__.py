"""OpenStreetMap as files and as data, whatever brought it."""
