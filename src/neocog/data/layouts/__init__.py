"""The layouts of pictures on disk that are known, one file each."""
