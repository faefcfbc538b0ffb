"""Pictures of data and answers, one file per kind.

Every function takes pictures "c h w" of any size and gives a new picture: uint8, three channels.
"""
