"""The dossier: two printed sides for each district, and an index that compares them."""
