"""`medtwin backtest` finds the set's own table, or says what there is."""

import pytest

from medtwin.commands.backtesting import Asked, files
from medtwin.commands.report import WrongInput


def folder(tmp_path):
    for name in ("AZT1D.parquet", "HUPA-UCM.parquet", "HUPA-UCM_demographics.csv", "README.md"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def named(tmp_path, name):
    return [p.name for p in files(Asked(folder(tmp_path), name, (30,)))]


def test_each_set_has_its_own_table(tmp_path):
    assert named(tmp_path, "azt1d") == ["AZT1D.parquet"]
    assert named(tmp_path, "hupa") == ["HUPA-UCM.parquet"]


def test_an_unknown_set_is_refused_with_the_ones_there_are(tmp_path):
    with pytest.raises(WrongInput, match="allowed are azt1d, hupa, table"):
        named(tmp_path, "ohio")


def test_a_folder_without_the_set_says_what_is_there(tmp_path):
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(WrongInput, match=r"holds no table of hupa.*notes.txt"):
        files(Asked(tmp_path, "hupa", (30,)))


def test_a_result_has_a_place_before_the_work_begins(medtwin, tmp_path):
    done = medtwin("backtest", "--data", tmp_path, "--json", tmp_path / "no" / "out.json")
    assert done.code == 2
    assert "there is no folder" in done.err
