"""JSON: an object a line, or arrays of objects; nested ones become features with dots in their names."""
