"""The biLM once more, slowly: float64 NumPy, plain loops, the paper's symbols, nothing shared with the package.

It reads the options and weight files as they are, and is what the committed golden arrays are made with. What
`training` differentiates also runs on complex numbers, so it never writes into an array of real ones.
"""
