"""What it means: the surface of minutes, isochrones, gaps, indicators."""
