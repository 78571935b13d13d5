"""What writes docs/reference: one module for each kind of source, and the small amount of Markdown that they share."""
