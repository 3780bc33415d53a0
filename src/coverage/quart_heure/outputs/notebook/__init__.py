"""Notebooks: figures at hand as tables, pictures and maps, a line each."""
