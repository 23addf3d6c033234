"""States that earlier releases left behind, and what today's program would do to them."""
