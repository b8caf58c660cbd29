"""What makes one plain model file run: compiled, in plain NumPy, through JAX, coupled, as SBML."""
