"""Fields that hold values of several types: how they are found, merged, counted and settled."""
