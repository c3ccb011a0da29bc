"""Files and parameters: which dataset is which parameter, read strictly and written whole."""
