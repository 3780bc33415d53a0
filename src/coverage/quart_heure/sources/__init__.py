"""What comes in: areas, services, residents, the packaged sample."""
