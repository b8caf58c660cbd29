from medtwin.record.dwelling import dwelling, folded


def test_words_are_compared_without_case_accents_and_points():
    assert folded("Ängström-O'Brien, St.") == "angstrom obrien st"


def test_an_address_is_its_first_line_and_its_postcode():
    assert dwelling(("12 High Street, Leeds, LS1 4AP",)) == ("12 high street", "ls14ap")
    assert dwelling(("Hauptstr. 5, 80331 München",)) == ("hauptstr 5", "80331")
    assert dwelling(()) == ("", "")
