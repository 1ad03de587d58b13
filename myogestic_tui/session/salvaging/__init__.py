"""Everything of a damaged session that still decodes, in a new one."""
