"""The back-test's table is read by people."""

from medtwin.commands.backtesting import tell_table

SCORE = {"rmse": 18.634, "mae": 12.8, "mard": 0.1, "crps": 9.7, "cover50": 0.479, "cover80": 0.794}
SCORE |= {"cover90": 0.895, "clarke_ab": 0.981, "n": 14553, "people": 24}


def test_a_table_fits_a_narrow_terminal_and_says_how_many_stand_behind_it(capsys):
    effect = {"60": 0.087, "120": 0.25, "lowers_people": 24, "people": 24, "each": {}}
    said = {"unannounced": {"30": {"lightgbm_person": SCORE, "shown": SCORE}}}
    tell_table({"set": "hupa", "scenarios": said, "insulin_effect": effect})
    told = capsys.readouterr().out
    assert "14,553 forecasts of 24 people" in told
    assert "18.63" in told
    assert "89.5%" in told
    assert "24 of 24 people, by 9% at 60 min and 25% at 120 min" in told
    assert max(len(line) for line in told.splitlines() if "│" in line) <= 80
