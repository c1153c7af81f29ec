"""How fast the explorer is with many neurons."""
