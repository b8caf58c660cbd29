"""The living model of one person: assimilate, forecast, compare, keep score, retire."""
