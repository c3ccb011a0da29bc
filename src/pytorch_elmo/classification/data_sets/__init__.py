"""Texts with classes, as tables of `datasets` with the columns `text` and `label`; the tutorials' splits of them."""
