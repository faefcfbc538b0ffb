"""The datasets that have a name, one file each."""
