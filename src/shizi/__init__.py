"""shizi (识字): text from pictures and documents, Chinese and English first, on plain CPUs."""

__version__ = "0.1.0"
