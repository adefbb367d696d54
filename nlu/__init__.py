"""Language processing below everything else; runs under Python 3.10 and 3.11."""
