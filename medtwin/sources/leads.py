"""What a channel shows, by the name people give it: an ECG lead, a pressure, breath, pleth."""

import re
from collections.abc import Sequence

LEAD = re.compile(
    r"(?:ecg|ekg|lead)?[\s_.-]*(?:mlii|mliii|mli|mcl\d|modlead\d|[iv]{1,3}|av[rlf]|v\d{0,2}r?|"
    r"v[xyz]|cm\d|cc\d|es|as|ai|i-?ii|ecg\d*|ekg\d*|fecg)(?:[\s_+-].*)?",
    re.IGNORECASE,
)
WORDS = (
    (("ecg", "ekg"), "ecg"),
    (("eeg",), "eeg"),
    (("emg",), "emg"),
    (("eog",), "eog"),
    (("abp", "art", "ibp", "arterial"), "arterial"),
    (("pap", "pulmonary"), "pulmonary_pressure"),
    (("cvp",), "central_venous"),
    (("pleth", "ppg"), "pleth"),
    (("resp", "thor", "abdo", "airflow", "flow", "nasal"), "respiration"),
    (("co2",), "capnogram"),
    (("spo2", "sao2"), "spo2"),
    (("gsr", "eda"), "skin_conductance"),
    (("acc",), "acceleration"),
)


def signal_code(name: str) -> str:
    """The id of what this channel shows: "ecg", or the maker's own word where we have none."""
    plain = name.strip().lower()
    if LEAD.fullmatch(plain):
        return "ecg"
    for beginnings, code in WORDS:
        if any(re.search(rf"(?:^|[^a-z]){b}", plain) for b in beginnings):
            return code
    return f"signal|{plain}" if plain else "signal"


def unlike(names: Sequence[str]) -> tuple[str, ...]:
    """The same names, those alike numbered."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return tuple(out)
