import csv
from io import BytesIO

import numpy as np
import pytest
from sklearn.linear_model import GammaRegressor

from medtwin.genome.ancestry import (
    TooFew,
    along_components,
    along_components_with_spread,
    variances,
    within_group,
)
from medtwin.genome.builds import Build
from medtwin.genome.polygenic import Adding, Strands
from medtwin.genome.scoring import BadScore, scoring
from medtwin.genome.variants import Told, lines, read_header, sites

HEAD = "##reference=GRCh38\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\n"
NAMES = "chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\tallelefrequency_effect"


def score(*rows, names=NAMES, told="#pgs_id=PGS1\n#genome_build=GRCh38\n"):
    text = told + names + "\n" + "\n".join(rows) + "\n"
    return scoring(BytesIO(text.encode()), Build.grch38)


def sums(weights, variants, strands=Strands.resolved):
    rows = lines(BytesIO((HEAD + variants).encode()))
    header, first = read_header(rows)
    adding = Adding(weights, header.samples, strands)
    for site in sites(rows, header, adding.wanted, Told(), first + 1):
        adding.take(site)
    return adding.sums(enough=0.0)


def test_sums_over_1000_genomes_are_those_of_the_reference_program(shared, vectors):
    with (vectors / "risk" / "pgs_tiny1000g.csv").open() as file:
        expected = {r["sample"]: r for r in csv.DictReader(file)}
    with (shared / "data/pgs/PGS001229_structured_GRCh38.txt.gz").open("rb") as file:
        weights = scoring(file, Build.grch38)
    with (shared / "data/pgs/tiny1000G.vcf.gz").open("rb") as file:
        rows = lines(file)
        header, first = read_header(rows, Build.grch38)
        adding = Adding(weights, header.samples, Strands.as_written)
        for site in sites(rows, header, adding.wanted, Told(), first + 1):
            adding.take(site)
    found = {s.sample: s for s in adding.sums()}
    assert len(expected) == 200
    for sample, row in expected.items():
        assert found[sample].value == pytest.approx(float(row["expected_sum"]), abs=1e-6)
        assert found[sample].matched == int(row["variants_matched"])
        assert found[sample].refused  # 983 of 51,209 is far too few to use


def test_copies_of_the_effect_allele_are_counted_wherever_it_stands():
    weights = score("1\t100\tA\tG\t0.5", "1\t200\tT\tC\t2")
    variants = "1\t100\t.\tG\tA\t.\t.\t.\tGT\t0/1\t1|1\n1\t200\t.\tT\tC\t.\t.\t.\tGT\t0/0\t0/1\n"
    assert [s.value for s in sums(weights, variants)] == [0.5 + 4, 1 + 2]


def test_the_other_strand_is_turned_over_and_counted():
    weights = score("1\t100\tA\tG\t1")
    variants = "1\t100\t.\tC\tT\t.\t.\t.\tGT\t0/1\t1/1\n"
    found = sums(weights, variants)
    assert [s.value for s in found] == [1, 2]
    assert found[0].flipped == 1
    assert [s.value for s in sums(weights, variants, Strands.as_written)] == [0, 0]


def test_a_variant_that_fits_both_strands_is_left_out_unless_the_strand_is_trusted():
    weights = score("1\t100\tA\tT\t1")
    variants = "1\t100\t.\tT\tA\t.\t.\t.\tGT\t0/1\t1/1\n"
    assert [s.read for s in sums(weights, variants)] == [0, 0]
    assert [s.value for s in sums(weights, variants, Strands.as_written)] == [1, 2]


def test_a_third_allele_is_not_the_effect_allele():
    weights = score("1\t100\tC\tG\t1", "1\t100\tA\tG\t10")
    variants = "1\t100\t.\tG\tA,C\t.\t.\t.\tGT\t1/2\t0/2\n"
    assert [s.value for s in sums(weights, variants, Strands.as_written)] == [11, 1]


def test_what_was_not_read_counts_by_frequency_where_told_else_not_at_all():
    weights = score("1\t100\tA\tG\t1\t0.25", "1\t200\tA\tG\t1\t", "1\t300\tA\tG\t2\t0.5")
    variants = "1\t100\t.\tG\tA\t.\t.\t.\tGT\t./.\t1/1\n1\t200\t.\tG\tA\t.\t.\t.\tGT\t./.\t0/1\n"
    first, second = sums(weights, variants)
    assert first.value == 0.5 + 0 + 2
    assert (first.read, first.expected) == (0, 2)
    assert second.value == 2 + 1 + 2
    assert second.rate == 1


def test_of_a_block_of_the_reference_only_the_first_letter_counts():
    weights = score("1\t100\tG\tA\t1", "1\t150\tG\tA\t1")
    variants = "1\t100\t.\tG\t<NON_REF>\t.\t.\tEND=200\tGT\t0/0\t0/0\n"
    assert [(s.value, s.read) for s in sums(weights, variants)] == [(2, 1), (2, 1)]


def test_a_line_written_twice_counts_once():
    weights = score("1\t100\tA\tG\t1", "1\t100\tA\tG\t1")
    assert weights.left_out == {"written twice": 1}
    variants = "1\t100\t.\tG\tA\t.\t.\t.\tGT\t0/1\t1/1\n"
    assert [s.value for s in sums(weights, variants)] == [1, 2]


def test_dominant_and_recessive_effects_count_carriers():
    names = NAMES + "\tis_dominant\tis_recessive"
    weights = score("1\t1\tA\tG\t1\t\tTrue\t", "1\t2\tA\tG\t10\t\t\tTrue", names=names)
    row = "1\t{}\t.\tG\tA\t.\t.\t.\tGT\t0/1\t1/1\n"
    assert [s.value for s in sums(weights, row.format(1) + row.format(2))] == [1, 11]


def test_harmonised_positions_are_taken_where_they_are_of_this_build():
    told = "#pgs_id=PGS1\n#genome_build=NR\n#HmPOS_build=GRCh38\n"
    names = "rsID\tchr_name\teffect_allele\tother_allele\teffect_weight\thm_chr\thm_pos"
    weights = score("rs1\t1\tA\tG\t1\t1\t100", "rs2\t1\tA\tG\t1\t\t", names=names, told=told)
    assert list(weights.weights) == [("1", 100)]
    assert weights.left_out == {"no position": 1}


def test_positions_of_another_build_are_refused():
    with pytest.raises(BadScore, match="harmonised to GRCh38"):
        score("1\t100\tA\tG\t1", told="#genome_build=hg19\n")


def test_within_a_group_the_mean_is_zero_and_a_spread_above_it_is_one():
    others = np.arange(101.0)
    assert within_group(50.0, others, "EUR").z == 0
    assert within_group(50.0, others, "EUR").percentile == pytest.approx(50)
    assert within_group(50 + others.std(ddof=1), others, "EUR").z == pytest.approx(1)


def test_what_ancestry_explains_is_taken_off():
    rng = np.random.default_rng(1)
    theirs = rng.normal(size=(4000, 2))
    others = 3 * theirs[:, 0] - theirs[:, 1] + rng.normal(size=4000) * 0.5
    own = np.array([2.0, 1.0])
    assert along_components(5.5, own, others, theirs).z == pytest.approx(1, abs=0.1)


def test_a_spread_that_varies_with_ancestry_is_followed():
    rng = np.random.default_rng(2)
    theirs = rng.normal(size=(20000, 1))
    others = rng.normal(size=20000) * np.exp(0.5 * theirs[:, 0])
    at = along_components_with_spread(np.e, np.array([2.0]), others, theirs)
    assert at.z == pytest.approx(1, abs=0.1)


def test_the_regression_of_the_spread_is_that_of_an_independent_program():
    rng = np.random.default_rng(3)
    theirs = rng.normal(size=(500, 2))
    squared = rng.gamma(0.5, 2, 500) * np.exp(0.3 * theirs[:, 0])
    other = GammaRegressor(alpha=0, tol=1e-10, max_iter=10000).fit(theirs, squared)
    found = variances(theirs, squared)
    assert found == pytest.approx([other.intercept_, *other.coef_], abs=1e-5)


def test_a_small_reference_is_refused():
    with pytest.raises(TooFew, match="30"):
        within_group(1.0, np.arange(5.0), "EUR")
