"""Results: the folder of tables, layers and manifest that a run leaves, written and read."""
