"""Claims of speed, each with the program that measures it."""
