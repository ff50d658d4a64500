"""Machines of rows conditional on other columns, or on earlier rows."""
