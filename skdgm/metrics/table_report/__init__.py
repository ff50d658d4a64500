"""Components of the report on synthetic rows of a table."""
