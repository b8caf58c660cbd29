from medtwin.genome.outside import outside


def test_cyp2d6_comes_in_from_outside_with_its_phenotype():
    (found,) = outside("CYP2D6\t*1/*4\tIntermediate Metabolizer\n")
    assert (found.gene, found.diplotype) == ("CYP2D6", "*1/*4")
    assert found.phenotype == "Intermediate Metabolizer"


def test_a_gene_of_our_tables_has_its_phenotype_found():
    (found,) = outside("# comment\nCYP2C19\t*2/*2\n")
    assert found.phenotype == "Poor Metabolizer"


def test_a_line_without_a_diplotype_and_an_unknown_allele_are_refused():
    first, second = outside("CYP2D6\nCYP2C9\t*1/*999\n")
    assert "tab" in first.refused
    assert "*999" in second.refused
