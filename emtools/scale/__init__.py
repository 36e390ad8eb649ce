"""The same EM step on data of any size, and what it will cost."""
