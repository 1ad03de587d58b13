"""A folder becomes an archive that is read back and compared before the folder goes."""
