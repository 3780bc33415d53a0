"""A study begun from the files at hand: what lies in a folder, and the study file made of it."""
