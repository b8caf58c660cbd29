import csv

import pytest

from medtwin.genome.definitions import UnknownGene, alleles, genes, positions
from medtwin.genome.dosing import MEANS, REFERENCES, findings
from medtwin.genome.phenotypes import UnknownAllele, phenotype


def test_every_diplotype_of_the_reference_has_its_phenotype_and_activity_score(vectors):
    with (vectors / "risk" / "pgx_diplotype_phenotype.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 299
    for row in rows:
        found = phenotype(row["gene"], row["diplotype"])
        assert found.means == row["expected_phenotype"], row
        if row["expected_activity_score"]:
            assert found.activity == float(row["expected_activity_score"]), row


def test_two_increased_alleles_of_cyp2c19_are_ultrarapid():
    assert phenotype("CYP2C19", "*17/*17").means == "Ultrarapid Metabolizer"


def test_a_gene_that_is_not_called_says_why():
    with pytest.raises(UnknownGene, match="CYP2D7"):
        phenotype("CYP2D6", "*1/*4")


def test_an_allele_nobody_named_is_refused():
    with pytest.raises(UnknownAllele, match=r"CYP2C9 \*1/\*999"):
        phenotype("CYP2C9", "*1/*999")


@pytest.mark.parametrize("gene", genes())
def test_every_variant_that_makes_an_allele_has_its_place(gene):
    placed = {p.token(*v) for p in positions(gene) for v in p.variants}
    asked = {t for a in alleles(gene) for t in a.needs | a.may}
    assert asked <= placed


def test_every_medicine_has_its_guideline():
    assert {medicine for _, medicine in MEANS} <= REFERENCES.keys()


def test_a_poor_metaboliser_of_fluorouracil_is_told_to_avoid_it():
    (found,) = findings({"DPYD": phenotype("DPYD", "c.1905+1G>A (*2A)/c.1905+1G>A (*2A)")})
    assert "avoided" in found.means
    assert "Amstutz" in found.reference
