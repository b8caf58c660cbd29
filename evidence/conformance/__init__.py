"""Outside test suites, each run against us: how many cases agree, and which do not."""
