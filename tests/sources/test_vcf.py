import gzip
import json
import tarfile
from datetime import UTC, datetime

import pytest

from medtwin.genome.definitions import genes, positions
from medtwin.physiology import warfarin_inr
from medtwin.record import codes
from medtwin.record.record import Record
from medtwin.sources.door import read, received
from medtwin.sources.source import Options
from medtwin.twin.twin import born, parameters

NOW = datetime(2026, 6, 1, tzinfo=UTC)
META = "##fileformat=VCFv4.2\n##fileDate=20260301\n##reference=GRCh38\n"


def vcf(variants=None, samples=("NA1",), meta=META, left_out=()):
    """A VCF with every known place as the reference but for these: position to REF, ALT, GTs."""
    variants = variants or {}
    rows = [meta + "\t".join(["#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT".replace(" ", "\t")])]
    rows[0] += "\t" + "\t".join(samples)
    for gene in genes():
        for place in positions(gene):
            at = place.grch38
            if at in left_out:
                continue
            ref, alt, *told = variants.get(at, (place.variants[0][0], ".", *["0/0"] * len(samples)))
            start = (
                f"chr{place.chromosome}\t{at}\t{place.rsid or '.'}\t{ref}\t{alt}\t.\tPASS\t.\tGT"
            )
            rows.append(start + "\t" + "\t".join(told))
    return ("\n".join(rows) + "\n").encode()


# rs1799853 (CYP2C9*2), rs9923231 (VKORC1), rs776746 (CYP3A5*3)
CARRIER = {
    94942290: ("C", "T", "0/1"),
    31096368: ("C", "T", "1/1"),
    99672916: ("T", "C", "1|1"),
}


def facts(arrived):
    return {f.code.id: f for a in arrived for f in a.facts}


def walk(content, options=None, name="genome.vcf"):
    return list(received(name, content, options or Options(NOW)))


def test_the_warfarin_and_tacrolimus_twins_learn_the_genotype():
    found = facts(walk(vcf(CARRIER)))
    assert found[codes.cyp2c9_2.id].value == 1
    assert found[codes.cyp2c9_3.id].value == 0
    assert found[codes.vkorc1_a.id].value == 2
    assert found[codes.cyp3a5_expresser.id].value == 0
    assert found[codes.cyp2c9_2.id].at == datetime(2026, 3, 1, tzinfo=UTC)


def test_a_warfarin_twin_born_after_the_genome_came_has_its_genotype():
    arrived = walk(vcf(CARRIER))
    record = Record("ann").add(f for a in arrived for f in a.facts)
    bare = born("ann", warfarin_inr.model, NOW, Record("ann"), members=50)
    told = born("ann", warfarin_inr.model, NOW, record, members=50)
    sensitive = parameters(told).vkorc1_a, parameters(told).cyp2c9_2
    assert [set(p) for p in sensitive] == [{2.0}, {1.0}]
    assert len(set(parameters(bare).vkorc1_a)) > 1


def test_diplotypes_phenotypes_and_what_they_mean_are_said_with_their_lines():
    (arrived,) = walk(vcf(CARRIER))
    found = facts([arrived])
    assert found["https://cpicpgx.org|CYP2C9-diplotype"].says.startswith("*1/*2")
    assert found["https://cpicpgx.org|CYP2C9-phenotype"].says == "Intermediate Metabolizer"
    assert found["https://cpicpgx.org|CYP2C9-phenotype"].value == 1.5
    assert "Johnson 2017" in found["https://cpicpgx.org|VKORC1-warfarin"].says
    assert len(arrived.places) == len(arrived.facts)
    assert all(p.startswith("line") for p in arrived.places)
    assert arrived.original == vcf(CARRIER)


@pytest.mark.parametrize("pack", [gzip.compress])
def test_packed_it_says_the_same(pack):
    plain, packed = facts(walk(vcf(CARRIER))), facts(walk(pack(vcf(CARRIER)), name="g.vcf.gz"))
    assert {k: f.value for k, f in plain.items()} == {k: f.value for k, f in packed.items()}


def test_a_genotype_whose_place_was_not_read_is_not_told():
    arrived = walk(vcf(CARRIER, left_out={94981296, 31096368}))
    found = facts(arrived)
    assert codes.cyp2c9_3.id not in found
    assert codes.vkorc1_a.id not in found
    assert found[codes.cyp2c9_2.id].value == 1
    said = " ".join(r.because for a in arrived for r in a.refused)
    assert "*3 could not be looked for" in said


def test_cyp2d6_is_refused_with_its_reason_and_taken_from_outside(tmp_path):
    arrived = walk(vcf())
    assert any("CYP2D7" in r.because for r in arrived[0].refused)
    (tmp_path / "calls.tsv").write_text("CYP2D6\t*4/*4\tPoor Metabolizer\n")
    (tmp_path / "asked.json").write_text(json.dumps({"outside": "calls.tsv"}))
    found = facts(walk(vcf(), Options(NOW, tmp_path / "asked.json")))
    assert found["https://cpicpgx.org|CYP2D6-phenotype"].says == "Poor Metabolizer"


def test_two_samples_and_no_map_are_refused():
    (arrived,) = walk(vcf(samples=("a", "b")))
    assert not arrived.facts
    assert "nobody says whose" in arrived.refused[0].because


def test_two_samples_with_a_map_go_to_their_patients_without_each_others_bytes(tmp_path):
    (tmp_path / "m.json").write_text(json.dumps({"samples": {"a": "mrn|1", "b": "mrn|2"}}))
    content = vcf({94942290: ("C", "T", "0/1", "1/1")}, ("a", "b"))
    first, second = walk(content, Options(NOW, tmp_path / "m.json"))
    assert (first.about, second.about) == ("mrn|1", "mrn|2")
    assert facts([first])[codes.cyp2c9_2.id].value == 1
    assert facts([second])[codes.cyp2c9_2.id].value == 2
    assert b"\tb" not in first.original
    assert b"94942290\t=/94942290C>T" in first.original


@pytest.mark.parametrize(
    ("content", "because"),
    [
        (vcf(meta="##fileformat=VCFv4.2\n"), "no genome build"),
        (vcf(meta="##fileformat=VCFv4.2\n##reference=hg18\n"), "lift it over"),
        (gzip.compress(vcf())[:-30], "breaks off"),
        (vcf()[:-12].rstrip(b"\n"), "breaks off"),
        (vcf().replace(b"\tFORMAT\tNA1", b""), "nobody's genotypes"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(content, because):
    arrived = walk(content, name="g.vcf")
    assert not any(a.facts for a in arrived)
    assert because in arrived[-1].refused[0].because


def test_a_build_may_be_told_beside_the_file(tmp_path):
    (tmp_path / "m.json").write_text('{"build": "hg38"}')
    arrived = walk(vcf(CARRIER, meta="##fileformat=VCFv4.2\n"), Options(NOW, tmp_path / "m.json"))
    assert facts(arrived)[codes.vkorc1_a.id].value == 2


def test_a_polygenic_score_is_a_fact_with_its_percentile(tmp_path):
    weights = "#pgs_id=PGS9\n#trait_reported=height\n#genome_build=GRCh38\n"
    weights += "chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\n"
    (tmp_path / "s.txt").write_text(weights + "10\t94942290\tT\tC\t0.5\n")
    rows = "\n".join(f"{i / 100},EUR" for i in range(100))
    (tmp_path / "r.csv").write_text(f"sum,group\n{rows}\n")
    asked = {"scores": ["s.txt"], "references": {"PGS9": "r.csv"}, "groups": {"NA1": "EUR"}}
    (tmp_path / "m.json").write_text(json.dumps(asked))
    found = facts(walk(vcf(CARRIER), Options(NOW, tmp_path / "m.json")))
    assert found["https://www.pgscatalog.org|PGS9"].value == 0.5
    assert found["https://www.pgscatalog.org|PGS9-percentile"].value == pytest.approx(50.5)


def test_too_few_variants_of_a_score_refuse_it(tmp_path):
    weights = "#pgs_id=PGS9\n#genome_build=GRCh38\n"
    weights += "chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\n"
    weights += "10\t94942290\tT\tC\t0.5\n" + "".join(f"1\t{i}\tT\tC\t1\n" for i in range(10, 20))
    (tmp_path / "s.txt").write_text(weights)
    (tmp_path / "m.json").write_text(json.dumps({"scores": ["s.txt"]}))
    arrived = walk(vcf(CARRIER), Options(NOW, tmp_path / "m.json"))
    assert "https://www.pgscatalog.org|PGS9" not in facts(arrived)
    assert any("9.1%" in r.because for r in arrived[-1].refused)


def test_a_mapping_with_a_word_nobody_knows_is_refused(tmp_path):
    (tmp_path / "m.json").write_text('{"build": "hg38", "sample": {}}')
    (arrived,) = walk(vcf(), Options(NOW, tmp_path / "m.json"))
    assert "['sample']" in arrived.refused[0].because


def test_the_files_of_pharmcat_say_the_diplotype_of_their_names(shared, tmp_path):
    folder = "src/test/resources/org/pharmgkb/pharmcat/haplotype"
    named = {"cyp2c19/s2s3": "*2/*3", "cyp2c19/s1s17": "*1/*17", "cyp2c9/s2s3": "*2/*3"}
    named |= {"TPMT/s3as3b": "*3A/*3B", "cyp3a5/s1s7": "*1/*7", "SLCO1B1/s5s15": "*5/*15"}
    named |= {"NUDT15/s3ref": "*1/*3", "UGT1A1/s28s37": "*28/*37"}
    with tarfile.open(shared / "data/pharmcat_vcf/pharmcat_vcf.tar.xz") as archive:
        for name, diplotype in named.items():
            file = archive.extractfile(f"{folder}/{name}.vcf")
            assert file is not None
            found = facts(walk(file.read(), name="x.vcf"))
            gene = name.partition("/")[0].upper()
            said = found[f"https://cpicpgx.org|{gene}-diplotype"].says
            assert said.partition(";")[0] == diplotype, name


def test_a_long_file_is_kept_in_parts_that_make_the_whole(tmp_path):
    filler = "".join(f"chr1\t{i}\t.\tA\tC\t.\tPASS\t.\tGT\t0/1\n" for i in range(1000, 80000))
    content = vcf(CARRIER) + filler.encode()
    path = tmp_path / "g.vcf"
    path.write_bytes(content)
    arrived = list(read([path], Options(NOW)))
    assert len(arrived) > 2
    assert b"".join(a.original for a in arrived) == content
    assert facts(arrived)[codes.vkorc1_a.id].value == 2
