"""The command line: one file per command, which parses, calls the library and prints.

Command files load at every start, so they import torch and the like only inside their functions.
"""
