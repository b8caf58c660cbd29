"""R's Theoph: doses and levels per kg, told to the one-compartment model as a body of 70 kg."""

import csv
import gzip
from itertools import groupby

from medtwin.engine.schedule import Given
from medtwin.record import codes
from medtwin.twin.cohort import Person
from medtwin.twin.map_fit import Error
from medtwin.twin.population import Structure

# lKe does not differ between people, so that a difference in clearance moves the volume too
structure = Structure(
    typical={"clearance": 2.8, "volume": 32.0, "ka": 1.6},
    differs={"ka": 0.6, "clearance": 0.2},
    along={"clearance": ("volume",)},
    together=(("ka", "clearance"),),
    error={codes.drug_level: Error(0.7)},
)


def people(shared):
    place = shared / "data" / "rdatasets_medical" / "datasets" / "Theoph.csv.gz"
    with gzip.open(place, "rt") as file:
        rows = list(csv.DictReader(file))
    return [
        _person(name, list(own)) for name, own in groupby(rows, key=lambda r: int(r["Subject"]))
    ]


def _person(name, rows):
    hours, levels = ([float(r[k]) for r in rows] for k in ("Time", "conc"))
    dose = Given(0.0, codes.drug_swallowed, 70.0 * float(rows[0]["Dose"]))
    return Person(str(name), (dose,), {codes.drug_level: (hours, levels)}, {"weight": 70.0})
