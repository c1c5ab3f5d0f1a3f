"""Specimen forms with known truth: what `bench/forms.py` draws and scores. None of it is a real document."""
