"""Services: places and what their columns and words mean."""
