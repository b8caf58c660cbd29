"""Trial designs: one file each."""
