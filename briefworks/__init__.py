"""Long articles, written durably."""
