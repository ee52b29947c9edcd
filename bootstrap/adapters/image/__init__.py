"""Node images: made once for their content, then shared by every node."""
