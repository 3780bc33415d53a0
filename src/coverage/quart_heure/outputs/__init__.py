"""What people read: tables, reports, maps, each with its manifest."""
