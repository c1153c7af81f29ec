"""The words of the field as tables: species, cell types, regions, and the small words around them."""
