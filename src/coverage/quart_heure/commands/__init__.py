"""Commands: what each verb of the command line does, a module per kind of work."""
