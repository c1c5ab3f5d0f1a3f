"""The HTTP service: a door to `Reader`, with its contract, its gate, its settings and a web page."""
