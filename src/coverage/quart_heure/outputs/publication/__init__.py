"""Publication: one site of all pages and tables, to be put on a server or sent by e-mail."""
