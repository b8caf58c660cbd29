"""What a gene's phenotype means for a medicine, in a sentence, after the CPIC guidelines.

Words for the person who prescribes, never an order: the guideline is named with each.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from medtwin.genome.phenotypes import Phenotype

POOR, LIKELY_POOR = "Poor Metabolizer", "Likely Poor Metabolizer"
SOME, LIKELY_SOME = "Intermediate Metabolizer", "Likely Intermediate Metabolizer"
MAYBE = "Possible Intermediate Metabolizer"
NORMAL, RAPID, ULTRA = "Normal Metabolizer", "Rapid Metabolizer", "Ultrarapid Metabolizer"

REFERENCES = {
    "clopidogrel": "CPIC, Lee 2022, doi:10.1002/cpt.2526",
    "warfarin": "CPIC, Johnson 2017, doi:10.1002/cpt.668",
    "statins": "CPIC, Cooper-DeHoff 2022, doi:10.1002/cpt.2557",
    "tacrolimus": "CPIC, Birdwell 2015, doi:10.1002/cpt.113",
    "thiopurines": (
        "CPIC, Relling 2019, doi:10.1002/cpt.1304; update Maillard 2026, doi:10.1002/cpt.70209"
    ),
    "fluoropyrimidines": "CPIC, Amstutz 2018, doi:10.1002/cpt.911",
    "efavirenz": "CPIC, Desta 2019, doi:10.1002/cpt.1477",
    "voriconazole": "CPIC, Moriyama 2017, doi:10.1002/cpt.583",
    "proton pump inhibitors": "CPIC, Lima 2021, doi:10.1002/cpt.2015",
    "phenytoin": "CPIC, Karnes 2021, doi:10.1002/cpt.2008",
    "NSAIDs": "CPIC, Theken 2020, doi:10.1002/cpt.1830",
    "atazanavir": "CPIC, Gammal 2016, doi:10.1002/cpt.269",
    "peginterferon alfa": "CPIC, Muir 2014, doi:10.1038/clpt.2013.203",
}
CLOPIDOGREL = "clopidogrel"
THIOPURINES = "thiopurines"
LESS_ACTIVE = (
    "clopidogrel is activated less and protects less from clots; another inhibitor "
    "of P2Y12 is preferred if nothing speaks against it"
)
STATIN_LESS = (
    "more simvastatin reaches the blood and muscle pain is likelier; a lower dose or "
    "another statin is advised"
)
FLUORO = "fluorouracil and capecitabine are broken down less"
# By gene and medicine: what each phenotype means. What is not listed says nothing.
MEANS: dict[tuple[str, str], dict[str, str]] = {
    ("CYP2C19", CLOPIDOGREL): {
        POOR: LESS_ACTIVE,
        LIKELY_POOR: LESS_ACTIVE,
        SOME: LESS_ACTIVE,
        LIKELY_SOME: LESS_ACTIVE,
        NORMAL: "clopidogrel is activated as usual",
        RAPID: "clopidogrel is activated at least as usual",
        ULTRA: "clopidogrel is activated at least as usual",
    },
    ("CYP2C19", "voriconazole"): {
        POOR: (
            "voriconazole is cleared slowly and accumulates; another antifungal is "
            "preferred, or less of it under measured levels"
        ),
        RAPID: "voriconazole may stay below its effective level; another antifungal is preferred",
        ULTRA: (
            "voriconazole is unlikely to reach its effective level; another antifungal is preferred"
        ),
        NORMAL: "voriconazole is cleared as usual",
    },
    ("CYP2C19", "proton pump inhibitors"): {
        POOR: (
            "omeprazole, lansoprazole and pantoprazole stay longer; in long treatment less may do"
        ),
        LIKELY_POOR: (
            "omeprazole, lansoprazole and pantoprazole stay longer; in long treatment less may do"
        ),
        SOME: (
            "omeprazole, lansoprazole and pantoprazole stay longer; in long treatment less may do"
        ),
        ULTRA: "omeprazole, lansoprazole and pantoprazole may act too little at a usual dose",
        RAPID: "omeprazole, lansoprazole and pantoprazole may act too little at a usual dose",
    },
    ("CYP2C9", "warfarin"): {
        POOR: "S-warfarin is cleared very slowly; much less is needed, and INR settles late",
        SOME: "S-warfarin is cleared more slowly; less is needed, and INR settles later",
        NORMAL: "S-warfarin is cleared as usual",
    },
    ("VKORC1", "warfarin"): {
        "-1639 AA": "very sensitive to warfarin: less is needed",
        "-1639 AG": "more sensitive to warfarin than GG: somewhat less is needed",
        "-1639 GG": "usual sensitivity to warfarin",
    },
    ("CYP2C9", "phenytoin"): {
        POOR: "phenytoin is cleared slowly; less keeps the level, which must be watched",
        SOME: "phenytoin is cleared somewhat slowly; watch the level",
        NORMAL: "phenytoin is cleared as usual",
    },
    ("CYP2C9", "NSAIDs"): {
        POOR: (
            "celecoxib, flurbiprofen, ibuprofen and lornoxicam stay longer; start low, "
            "meloxicam is better avoided"
        ),
        NORMAL: "celecoxib, ibuprofen and meloxicam are cleared as usual",
    },
    ("SLCO1B1", "statins"): {
        "Poor Function": STATIN_LESS,
        "Decreased Function": STATIN_LESS,
        "Possible Decreased Function": STATIN_LESS,
        "Normal Function": "simvastatin is taken up as usual",
        "Increased Function": "simvastatin is taken up as usual",
    },
    ("ABCG2", "statins"): {
        "Poor Function": "more rosuvastatin reaches the blood; a low starting dose is advised",
        "Decreased Function": "somewhat more rosuvastatin reaches the blood",
        "Normal Function": "rosuvastatin is carried as usual",
    },
    ("CYP3A5", "tacrolimus"): {
        NORMAL: (
            "expresses CYP3A5: tacrolimus is cleared fast and levels ask for more than a "
            "usual starting dose"
        ),
        SOME: (
            "expresses CYP3A5: tacrolimus is cleared fast and levels ask for more than a "
            "usual starting dose"
        ),
        MAYBE: "may express CYP3A5: tacrolimus may be cleared fast; watch early levels",
        POOR: "does not express CYP3A5: the usual starting dose fits",
    },
    ("TPMT", THIOPURINES): {
        POOR: (
            "thioguanine nucleotides reach toxic levels at usual doses: life-threatening "
            "loss of white cells; drastically less, or another drug"
        ),
        SOME: (
            "thioguanine nucleotides run high at usual doses; start with less and watch "
            "blood counts"
        ),
        MAYBE: (
            "thioguanine nucleotides may run high at usual doses; start with less and watch "
            "blood counts"
        ),
        NORMAL: "thiopurines are inactivated as usual by TPMT",
    },
    ("NUDT15", THIOPURINES): {
        POOR: "thiopurines damage white cells at usual doses: drastically less, or another drug",
        SOME: (
            "thiopurines are likelier to damage white cells; start with less and watch blood counts"
        ),
        MAYBE: (
            "thiopurines may be likelier to damage white cells; start with less and watch "
            "blood counts"
        ),
        NORMAL: "thiopurines are inactivated as usual by NUDT15",
    },
    ("DPYD", "fluoropyrimidines"): {
        POOR: (
            f"{FLUORO} or not at all: severe, sometimes fatal toxicity at usual doses; they "
            "are better avoided"
        ),
        SOME: (
            f"{FLUORO}: severe toxicity is likelier; start with less, then by toxicity or level"
        ),
        NORMAL: "fluorouracil and capecitabine are broken down as usual",
    },
    ("CYP2B6", "efavirenz"): {
        POOR: "efavirenz accumulates and disturbs sleep and mood; a lower dose is advised",
        SOME: "efavirenz runs higher; a lower dose may do",
        NORMAL: "efavirenz is cleared as usual",
    },
    ("UGT1A1", "atazanavir"): {
        POOR: "jaundice is likely enough under atazanavir to stop it; another drug is preferred",
        SOME: "bilirubin may rise under atazanavir, seldom so that it is stopped",
        NORMAL: "bilirubin is handled as usual",
    },
    ("IFNL3", "peginterferon alfa"): {
        "Favorable response genotype": (
            "hepatitis C of genotype 1 answers better to peginterferon and ribavirin"
        ),
        "Unfavorable response genotype": (
            "hepatitis C of genotype 1 answers less well to peginterferon and ribavirin"
        ),
    },
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one gene means for one medicine, and who says so."""

    gene: str
    medicine: str
    phenotype: str
    means: str
    reference: str


def findings(known: Mapping[str, Phenotype]) -> Iterator[Finding]:
    """Every sentence that the phenotypes known of one person allow, gene by gene.

    >>> from medtwin.genome.phenotypes import phenotype
    >>> [f.medicine for f in findings({"DPYD": phenotype("DPYD", "c.2846A>T/c.2846A>T")})]
    ['fluoropyrimidines']
    """
    for (gene, medicine), means in MEANS.items():
        told = known.get(gene)
        if told is not None and told.means in means:
            reference = REFERENCES[medicine]
            yield Finding(gene, medicine, told.means, means[told.means], reference)
