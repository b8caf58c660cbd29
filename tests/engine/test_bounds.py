"""Parameters from outside are looked at before they are run."""

import numpy as np
import pytest

from medtwin.engine.bounds import OutOfBounds, within
from medtwin.physiology import type1


def test_usual_parameters_pass_as_they_are():
    p = type1.Parameters()
    assert within(type1.model, p) is p


def test_every_parameter_outside_is_named_with_what_is_allowed():
    p = type1.Parameters(weight=np.array([70.0, 700.0]), f=0.8, kabs=np.nan)
    with pytest.raises(OutOfBounds) as said:
        within(type1.model, p)
    assert "weight 700 kg (member 1), allowed 45 to 130" in str(said.value)
    assert "f 0.8 1, allowed 0.9" in str(said.value)
    assert "kabs nan /min, allowed 0.02 to 0.6" in str(said.value)
