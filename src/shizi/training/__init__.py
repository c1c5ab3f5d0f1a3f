"""Training: from words and fonts to the ONNX files that shizi ships.

Needs the `training` extra; no other room imports it.
"""
