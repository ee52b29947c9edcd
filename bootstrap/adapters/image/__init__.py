"""Node images: built once for their content, then shared by all nodes."""
