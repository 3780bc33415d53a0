"""What can be walked: the network, snapping, travel times."""
