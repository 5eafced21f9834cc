"""What the interactive parts of the page show, as plain data for its scripts: one module here for each of them."""
