"""What two alleles together mean for a gene: poor, intermediate, normal metaboliser and so on.

The rules are those of the CPIC guidelines' tables of genotypes to phenotypes, by the functions of
the two alleles, and by the sum of activity values for CYP2C9 and DPYD (Caudle 2020,
doi:10.1111/cts.12692; guidelines at cpicpgx.org).
"""

from dataclasses import dataclass

from medtwin.genome.definitions import Allele, UnknownGene, alleles

INDETERMINATE = "Indeterminate"
POOR, INTERMEDIATE, NORMAL = "Poor Metabolizer", "Intermediate Metabolizer", "Normal Metabolizer"
RAPID, ULTRARAPID = "Rapid Metabolizer", "Ultrarapid Metabolizer"
MAYBE = f"Possible {INTERMEDIATE}"

# Two letters, in alphabetical order, of what the two alleles can do: D decreased, I increased,
# N normal, U uncertain, X none. What is not listed is indeterminate.
RULES: dict[str, dict[str, str]] = {
    "CYP2C19": {
        "NN": NORMAL,
        "IN": RAPID,
        "II": ULTRARAPID,
        "NX": INTERMEDIATE,
        "IX": INTERMEDIATE,
        "DN": f"Likely {INTERMEDIATE}",
        "DI": f"Likely {INTERMEDIATE}",
        "DD": f"Likely {INTERMEDIATE}",
        "DX": f"Likely {POOR}",
        "XX": POOR,
    },
    "CYP2B6": {
        "NN": NORMAL,
        "IN": RAPID,
        "II": ULTRARAPID,
        "DN": INTERMEDIATE,
        "NX": INTERMEDIATE,
        "DI": INTERMEDIATE,
        "IX": INTERMEDIATE,
        "DD": POOR,
        "DX": POOR,
        "XX": POOR,
    },
    "CYP3A4": {"NN": NORMAL, "DN": INTERMEDIATE, "NX": INTERMEDIATE}
    | dict.fromkeys(("DD", "DX", "XX"), POOR),
    "CYP3A5": {"NN": NORMAL, "NX": INTERMEDIATE, "XX": POOR, "NU": MAYBE},
    "TPMT": {"NN": NORMAL, "NX": INTERMEDIATE, "XX": POOR, "UX": MAYBE},
    "NUDT15": {"NN": NORMAL, "NX": INTERMEDIATE, "XX": POOR, "UX": MAYBE},
    "NAT2": {"II": RAPID, "DI": INTERMEDIATE, "DD": POOR},
    "UGT1A1": dict.fromkeys(("NN", "IN", "II"), NORMAL)
    | {"DN": INTERMEDIATE, "DI": INTERMEDIATE, "DD": POOR},
    "SLCO1B1": {
        "NN": "Normal Function",
        "IN": "Normal Function",
        "II": "Increased Function",
        "NX": "Decreased Function",
        "IX": "Decreased Function",
        "XX": "Poor Function",
        "UX": "Possible Decreased Function",
    },
    "ABCG2": {"NN": "Normal Function", "DN": "Decreased Function", "DD": "Poor Function"},
    "VKORC1": {"NN": "-1639 GG", "DN": "-1639 AG", "DD": "-1639 AA"},
    "IFNL3": {"NN": "Favorable response genotype"}
    | dict.fromkeys(("DN", "DD"), "Unfavorable response genotype"),
}
BY_ACTIVITY = ("CYP2C9", "DPYD")


@dataclass(frozen=True, slots=True)
class Phenotype:
    """What a gene's two alleles mean together, and the activity score where CPIC uses one."""

    gene: str
    means: str
    activity: float | None = None


class UnknownAllele(ValueError):
    """A name that CPIC gives no allele of this gene."""


def phenotype(gene: str, diplotype: str) -> Phenotype:
    """The phenotype of a diplotype such as `*1/*2`.

    Raises `UnknownGene` or `UnknownAllele`.

    >>> phenotype("CYP2C19", "*2/*17").means
    'Intermediate Metabolizer'
    >>> phenotype("CYP2C9", "*2/*3")
    Phenotype(gene='CYP2C9', means='Poor Metabolizer', activity=0.5)
    """
    known = {a.name: a for a in alleles(gene)}
    names = diplotype.split("/")
    unknown = [n for n in names if n not in known]
    if len(names) != 2 or unknown:
        raise UnknownAllele(
            f"{gene} {diplotype} is not two alleles CPIC knows; write it like "
            f"{alleles(gene)[0].name}/{alleles(gene)[-1].name}"
        )
    return of(known[names[0]], known[names[1]])


def of(one: Allele, other: Allele) -> Phenotype:
    """The phenotype of two alleles of one gene."""
    if one.gene in BY_ACTIVITY:
        return by_activity(one, other)
    if one.gene not in RULES:
        raise UnknownGene(f"CPIC gives {one.gene} no phenotypes; read its diplotype as it is")
    letters = "".join(sorted(one.function + other.function))
    return Phenotype(one.gene, RULES[one.gene].get(letters, INDETERMINATE))


def by_activity(one: Allele, other: Allele) -> Phenotype:
    """Two activity values added: 2 is normal, 1 and 1.5 intermediate, less is poor."""
    if one.activity is None or other.activity is None:
        return Phenotype(one.gene, INDETERMINATE)
    score = one.activity + other.activity
    means = POOR if score < 1 else INTERMEDIATE if score < 2 else NORMAL
    return Phenotype(one.gene, means, score)
