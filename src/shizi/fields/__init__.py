"""Fields: which form a page is, its fields with their proof, and whether they can be taken unseen."""
