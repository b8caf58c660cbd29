"""What the templates show, as frozen data: pure functions from facts and forecasts to views."""
