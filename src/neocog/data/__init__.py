"""Datasets: where pictures and what is known about them come from, how they are split, and how batches are made.

`open` finds a dataset by name or by the layout of a folder, `pixels` reads all its pictures in one pass,
`splits` parts them, `loader` makes batches. A named dataset is one file in `sets`, a layout one in `layouts`.
"""
