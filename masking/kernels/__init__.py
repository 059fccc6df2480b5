"""Ciphers over whole columns: NumPy matrices of equally long rows in, NumPy matrices or Arrow arrays out."""
