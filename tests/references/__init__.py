"""Independent implementations that the architectures are held against. Nothing here imports neocog."""
