"""Machines of rows given what is known beside them."""
