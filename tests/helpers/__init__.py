"""What tests share: towns, servers, study files and slow, obvious computations."""
