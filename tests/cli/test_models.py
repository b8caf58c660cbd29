"""The library of models, as typed."""


def test_the_models_are_listed_with_what_each_shows(medtwin):
    done = medtwin("models", "--json")
    assert done.code == 0
    listed = {one["file"]: one for one in done.json}
    assert listed["type1"]["shows"] == ["glucose"]
    assert listed["type1"]["reference"].startswith("Dalla Man 2007")


def test_a_card_tells_every_parameter_with_unit_bounds_and_source(medtwin):
    told = medtwin("models", "type1", "--json").json
    brain = next(p for p in told["parameters"] if p["name"] == "Fsnc")
    assert (brain["median"], brain["unit"]) == (1.0, "mg/kg/min")
    shown = medtwin("models", "glucose_living").out
    assert "day_cos" in shown
    assert "sd 0.25" in shown


def test_a_model_that_is_not_there_is_answered_with_those_that_are(medtwin):
    done = medtwin("models", "type7")
    assert done.code != 0
    assert "there is no model type7" in done.err
    assert "type1" in done.err
