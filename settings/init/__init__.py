"""`python -m settings init NAME`: a stack file from a few answers."""
