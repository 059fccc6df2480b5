"""Works on what is already published: retokenize, erase, detokenize, scan, prepare."""
