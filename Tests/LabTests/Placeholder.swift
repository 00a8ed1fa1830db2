// Lab tests drive the real programs.
