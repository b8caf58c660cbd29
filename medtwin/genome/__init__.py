"""The genome: variants to star alleles, to what they mean for a medicine, to polygenic scores."""
