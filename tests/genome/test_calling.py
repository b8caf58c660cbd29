from io import BytesIO

import pytest

from medtwin.genome.builds import Build
from medtwin.genome.calling import call
from medtwin.genome.definitions import positions
from medtwin.genome.observing import REF, Observed, Places, Seen, take, trimmed
from medtwin.genome.variants import Told, lines, read_header, sites

# Worked by hand from PharmVar's definitions.


def seen(gene, variants=(), missing=()):
    """Every place of a gene read as the reference, but for these: rsid to genotype tokens."""
    held = {}
    for place in positions(gene):
        if place.rsid in missing:
            continue
        held[place.grch38] = Seen((REF, REF), True, "", (1,))
    for at, alleles, phased in variants:
        held[at] = Seen(alleles, phased, "", (1,))
    return held


G2 = "94942290C>T"  # CYP2C9*2, rs1799853
G3 = "94981296A>C"  # CYP2C9*3, rs1057910


def test_one_copy_each_of_cyp2c9_2_and_3_on_unknown_chromosomes_is_2_3():
    found = call(
        "CYP2C9", seen("CYP2C9", [(94942290, (REF, G2), False), (94981296, (REF, G3), False)])
    )
    assert found.diplotype == "*2/*3"
    assert found.phenotype.means == "Poor Metabolizer"
    assert found.phenotype.activity == 0.5
    assert (found.carries("*2"), found.carries("*3")) == (1, 1)


def test_both_on_one_chromosome_is_no_named_allele_and_no_phenotype():
    found = call(
        "CYP2C9", seen("CYP2C9", [(94942290, (REF, G2), True), (94981296, (REF, G3), True)])
    )
    assert found.phenotype is None
    assert "no two named alleles" in found.doubt


def test_a_place_not_read_is_never_the_reference_in_silence():
    found = call("CYP3A5", seen("CYP3A5", missing=("rs776746",)))
    assert "*3" in found.unseen
    assert found.phenotype is None
    assert "rs776746" in found.said()
    assert found.said().startswith("as far as it was read *1/*1; not read: rs776746")
    assert found.carries("*3") is None


def test_tpmt_3a_or_3b_with_3c_is_called_3a_and_says_the_other():
    three_b, three_c = "18138997C>T", "18130687T>C"
    found = call(
        "TPMT",
        seen("TPMT", [(18138997, (REF, three_b), False), (18130687, (REF, three_c), False)]),
    )
    assert found.diplotype == "*1/*3A"
    assert found.phenotype.means == "Intermediate Metabolizer"
    assert "*3B/*3C (Poor Metabolizer)" in found.said()


def test_letters_no_named_allele_has_are_told_and_withhold_the_phenotype():
    found = call("CYP2C9", seen("CYP2C9", [(94942290, (REF, "?A"), False)]))
    assert found.undocumented == ("94942290?A",)
    assert found.phenotype is None


def test_dpyd_counts_the_worst_variant_of_each_chromosome():
    two_a, thirteen = "97450058C>T", "97515787A>C"
    together = seen("DPYD", [(97450058, (REF, two_a), True), (97515787, (REF, thirteen), True)])
    apart = seen("DPYD", [(97450058, (REF, two_a), False), (97515787, (REF, thirteen), False)])
    assert call("DPYD", together).phenotype.means == "Intermediate Metabolizer"
    assert call("DPYD", apart).phenotype.means == "Poor Metabolizer"


def test_odd_letters_at_two_places_of_dpyd_give_no_phenotype():
    odd = [(97450058, (REF, "?A"), False), (97515787, (REF, "?G"), False)]
    found = call("DPYD", seen("DPYD", odd))
    assert found.diplotype == "Reference/Reference"
    assert found.phenotype is None


def test_three_variants_of_dpyd_on_unknown_chromosomes_count_by_the_two_worst():
    three = ("97450058C>T", "97515787A>C", "97699474T>C")  # values 0, 0 and 0.5
    found = call("DPYD", seen("DPYD", [(int(t[:8]), (REF, t), False) for t in three]))
    assert found.phenotype.activity == 0
    assert "on which chromosome is not told" in found.diplotype


def test_an_allele_that_may_hide_behind_what_was_not_read_withholds_the_phenotype():
    seventeen = "94761900C>T"  # also lies on some *4, whose own place is not read
    found = call(
        "CYP2C19",
        seen("CYP2C19", [(94761900, (seventeen, seventeen), False)], missing=("rs28399504",)),
    )
    assert found.hidden == ("*4",)
    assert found.phenotype is None


def test_nothing_read_is_not_called():
    assert call("CYP2C9", {}).diplotype == ""
    assert call("CYP2C9", {}).phenotype is None


def test_a_variant_is_told_in_its_shortest_form():
    assert trimmed(10, "CAT", "CATAT") == (10, "C", "CAT")
    assert trimmed(10, "ACG", "ATG") == (11, "C", "T")


def observed(text, build):
    rows = lines(BytesIO(text.encode()))
    header, first = read_header(rows, build)
    places, who, told = Places(build), Observed("a"), Told()
    for site in sites(rows, header, places.wanted, told, first + 1):
        take(site, places, {0: who}, told)
    return who.seen


HEAD = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\n"


@pytest.mark.parametrize(
    ("build", "position"), [(Build.grch38, 94942290), (Build.grch37, 96702047)]
)
def test_both_builds_find_cyp2c9_2(build, position):
    text = f"{HEAD}chr10\t{position}\trs1799853\tC\tT\t.\tPASS\t.\tGT\t0/1\n"
    found = observed(text, build)["CYP2C9"][94942290]
    assert found.alleles == (REF, G2)


def test_the_reference_letter_of_cyp3a5_differs_between_the_builds():
    # GRCh37 carries *3 (C) itself at rs776746; GRCh38 carries *1 (T).
    old = f"{HEAD}7\t99270539\trs776746\tC\tT\t.\tPASS\t.\tGT\t0/1\n"
    alleles = observed(old, Build.grch37)["CYP3A5"][99672916].alleles
    assert sorted(alleles) == sorted(("99672916T>C", REF))


def test_a_block_of_a_gvcf_reads_every_place_in_it_as_the_reference():
    text = f"{HEAD}chr10\t94942000\t.\tG\t<NON_REF>\t.\t.\tEND=94943000\tGT:DP\t0/0:30\n"
    found = observed(text, Build.grch38)["CYP2C9"]
    assert found[94942290].alleles == (REF, REF)
    assert 94981296 not in found


def test_a_block_along_grch37_has_grch37s_own_letters():
    # GRCh37 carries CYP3A5*3 (C at rs776746), so its reference is *3, not *1.
    text = f"{HEAD}7\t99270000\t.\tG\t<NON_REF>\t.\t.\tEND=99271000\tGT\t0/0\n"
    found = observed(text, Build.grch37)["CYP3A5"][99672916]
    assert found.alleles == ("99672916T>C", "99672916T>C")
    moved = text.replace("99270000", "99672000").replace("99271000", "99673000")
    assert observed(moved, Build.grch38)["CYP3A5"][99672916].alleles == (REF, REF)


def test_a_deletion_over_a_known_place_is_not_its_reference():
    text = f"{HEAD}chr10\t94942288\t.\tGACC\tG\t.\tPASS\t.\tGT\t0/1\n"
    found = observed(text, Build.grch38)["CYP2C9"][94942290]
    assert found.alleles == (REF, "?GACC>G")


def test_an_allele_nobody_named_in_a_block_is_not_read():
    text = f"{HEAD}chr10\t94942290\t.\tC\t<NON_REF>\t.\t.\t.\tGT\t0/1\n"
    assert not observed(text, Build.grch38)["CYP2C9"][94942290].read


def test_alleles_on_lines_of_their_own_are_put_together():
    text = (
        f"{HEAD}2\t233760233\t.\tC\tCAT\t.\tPASS\t.\tGT\t1/0\n"
        "2\t233760233\t.\tCAT\tC\t.\tPASS\t.\tGT\t0/1\n"
    )
    found = observed(text, Build.grch38)["UGT1A1"][233760233]
    assert found.alleles == ("233760233C>CAT", "233760233CAT>C")


def test_half_a_call_is_not_read():
    text = f"{HEAD}chr10\t94942290\t.\tC\tT\t.\tPASS\t.\tGT\t./1\n"
    assert not observed(text, Build.grch38)["CYP2C9"][94942290].read


def test_a_deletion_inside_a_repeat_may_be_written_at_either_end():
    left = f"{HEAD}1\t97740410\t.\tGATGA\tG\t.\tPASS\t.\tGT\t0/1\n"
    right = f"{HEAD}1\t97740414\t.\tAATGA\tA\t.\tPASS\t.\tGT\t0/1\n"
    token = "97740410GATGA>G"
    assert observed(left, Build.grch38)["DPYD"][97740410].alleles == (REF, token)
    assert observed(right, Build.grch38)["DPYD"][97740410].alleles == (REF, token)


def test_wrong_reference_letters_are_said():
    text = f"{HEAD}chr10\t94942290\t.\tG\tT\t.\tPASS\t.\tGT\t0/0\n"
    assert "CYP2C9" not in observed(text, Build.grch38)


def test_what_failed_the_filters_is_not_read():
    text = f"{HEAD}chr10\t94942290\t.\tC\tT\t.\tLowQual\t.\tGT\t0/1\n"
    assert "CYP2C9" not in observed(text, Build.grch38)
