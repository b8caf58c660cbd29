from medtwin.record import codes
from medtwin.record.terminology import meant, same_as, spoken


def test_a_token_is_spoken_with_the_name_of_its_vocabulary():
    assert spoken("http://snomed.info/sct|44054006") == "SNOMED CT 44054006"
    assert spoken("oura|readiness") == "oura|readiness"


def test_a_token_leads_to_our_code_and_back():
    assert meant("http://loinc.org|8480-6") == (codes.systolic,)
    assert "8480-6" in same_as(codes.systolic, "LOINC")
    assert same_as(codes.systolic, "ATC") == ()


def test_a_token_nobody_mapped_means_nothing():
    assert meant("http://loinc.org|0-0") == ()
