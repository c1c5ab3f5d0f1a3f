"""Batch: very many inputs in, one row each out, in shards; goes on after any interruption where it was."""
