"""Fetch: what servers give, kept as a dated snapshot that everything else reads offline."""
