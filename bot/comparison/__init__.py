"""`zorgbrug eval --compare`: ours beside what one would pick instead, on the same questions, in one run."""
