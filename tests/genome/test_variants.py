import gzip
from io import BytesIO

import pytest

from medtwin.genome.builds import Build, UnknownBuild, plain, told
from medtwin.genome.variants import BGZIP_END, BadVariants, Cut, Told, lines, read_header, sites

COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\n"
HEAD = f"##fileformat=VCFv4.3\n##contig=<ID=chr1,length=248956422>\n{COLUMNS}"
LINE = "chr1\t1000\t.\tA\tC,G\t.\tPASS\t.\tDP:GT\t9:1|2\t8:./0\n"


def every(text, wanted=lambda *_: True):
    seen = Told()
    rows = lines(BytesIO(text if isinstance(text, bytes) else text.encode()))
    header, first = read_header(rows)
    return header, list(sites(rows, header, wanted, seen, first + 1)), seen


def test_contig_lengths_tell_the_build():
    assert told(["##contig=<ID=1,length=249250621>"]) is Build.grch37
    assert told(["##contig=<ID=chr1,length=248956422>"]) is Build.grch38


def test_words_tell_the_build():
    assert told(["##reference=file:///ref/hs37d5.fa"]) is Build.grch37
    assert told(["##contig=<ID=chr1,assembly=GRCh38.p14>"]) is Build.grch38


def test_no_build_two_builds_and_an_old_build_are_refused_with_what_to_do():
    with pytest.raises(UnknownBuild, match="##reference=GRCh38"):
        told(["##source=x"])
    with pytest.raises(UnknownBuild, match="both"):
        told(["##reference=hg19", "##contig=<ID=chr1,length=248956422>"])
    with pytest.raises(UnknownBuild, match="lift it over"):
        told(["##reference=hg18"])


def test_prefixes_mean_nothing():
    assert plain("chrM") == plain("MT") == "MT"
    assert plain("chr7") == plain("7")


def test_several_alleles_half_calls_and_phase_are_read():
    _, (site,), _ = every(HEAD + LINE)
    first, second = site.genotypes([0, 1])
    assert first.alleles == ("C", "G")
    assert first.phased
    assert second.alleles == (None, "A")
    assert not second.phased


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_plain_and_packed_read_the_same(pack):
    _, found, _ = every(pack((HEAD + LINE).encode()))
    assert len(found) == 1


def test_a_cut_gzip_a_cut_line_and_a_bgzip_without_its_end_are_refused():
    whole = gzip.compress((HEAD + LINE * 5000).encode())
    with pytest.raises(Cut):
        every(whole[:-20])
    with pytest.raises(Cut):
        every(HEAD + LINE + "chr1\t1200\t.\tA")
    block = bytearray(BGZIP_END)
    with pytest.raises(Cut, match="no end mark"):
        list(lines(BytesIO(bytes(block) + gzip.compress(HEAD.encode()))))


def test_impossible_positions_are_counted_and_said():
    _, found, seen = every(HEAD + LINE.replace("1000", "248956423") + LINE.replace("1000", "-4"))
    assert found == []
    assert len(seen.bad) == 2


def test_structural_alleles_are_counted():
    kinds = ("<DEL>", "A]chr2:321681]", "<NON_REF>", "C,*", ".", "C,<*>")
    _, _, seen = every(HEAD + "".join(LINE.replace("C,G", k) for k in kinds))
    assert seen.structural == 2


def test_no_genotypes_and_no_header_are_refused():
    with pytest.raises(BadVariants, match="nobody's genotypes"):
        every(HEAD.replace("\tFORMAT\ta\tb", ""))
    with pytest.raises(BadVariants, match="no #CHROM"):
        every("##fileformat=VCFv4.3\nchr1\t1\n")
