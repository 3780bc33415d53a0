"""Areas: the territory of a study and its districts."""
