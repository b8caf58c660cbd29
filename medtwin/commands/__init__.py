"""What each word of the command line does; loaded only when that word is used."""
