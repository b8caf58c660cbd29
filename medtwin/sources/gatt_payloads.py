"""What a Bluetooth sensor's bytes say: one decoder for each characteristic, bytes in, values out.

Layouts: Bluetooth SIG, GATT Specification Supplement; medfloat16 and medfloat32 from
IEEE 11073-20601. Bytes are little-endian.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import nan

from medtwin.record import codes
from medtwin.record.codes import Code
from medtwin.sources.readings import own

LOST16 = {0x07FF, 0x0800, 0x07FE, 0x0802, 0x0801}  # not a number, at this resolution, infinities
LOST32 = {0x007FFFFF, 0x00800000, 0x007FFFFE, 0x00800002, 0x00800001}


class Malformed(ValueError):
    """The payload is not as long as its flags say."""


@dataclass(frozen=True)
class Said:
    """One value; `at` is the sensor's own clock, without a zone, `ago` how long before that."""

    code: Code
    value: float
    unit: str
    at: datetime | None = None
    says: str = ""
    ago: timedelta = timedelta()


@dataclass
class Payload:
    """Bytes read from the front."""

    raw: bytes
    place: int = 0

    def number(self, layout: str) -> int:
        """The next integer, as `struct` writes its layout."""
        size = struct.calcsize(layout)
        if self.place + size > len(self.raw):
            had = len(self.raw)
            raise Malformed(f"it has {had} bytes; its flags ask for {self.place + size} and more")
        (value,) = struct.unpack_from("<" + layout, self.raw, self.place)
        self.place += size
        return value

    def medfloat16(self) -> float:
        """12 bits of mantissa, 4 of exponent to 10; NaN where there is no value."""
        bits = self.number("H")
        if bits & 0x0FFF in LOST16:
            return nan
        return _signed(bits & 0x0FFF, 12) * 10.0 ** _signed(bits >> 12, 4)

    def medfloat32(self) -> float:
        """24 bits of mantissa, 8 of exponent to 10; NaN where there is no value."""
        bits = self.number("I")
        if bits & 0x00FFFFFF in LOST32:
            return nan
        return _signed(bits & 0x00FFFFFF, 24) * 10.0 ** _signed(bits >> 24, 8)

    def time(self) -> datetime | None:
        """Date and time of the sensor's clock; None where it was never set."""
        year, month, day, hour, minute, second = (self.number(c) for c in "HBBBBB")
        if not (year and month and day):
            return None
        try:
            return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  a wall clock
        except ValueError as why:
            raise Malformed(
                f"its clock reads {year}-{month}-{day} {hour}:{minute} ({why})"
            ) from why

    def rest(self) -> int:
        """How many bytes are left."""
        return len(self.raw) - self.place


def _signed(bits: int, width: int) -> int:
    return bits - (1 << width) if bits >> (width - 1) else bits


def words(bits: int, meanings: Mapping[int, str]) -> str:
    """What the bits that are set mean."""
    return ", ".join(word for bit, word in meanings.items() if bits >> bit & 1)


def heart_rate(p: Payload) -> list[Said]:
    """0x2A37: pulse, energy since reset, beat to beat intervals."""
    flags = p.number("B")
    says = "no skin contact" if flags & 0b110 == 0b100 else ""
    pulse = p.number("H" if flags & 1 else "B")
    found = [Said(codes.heart_rate, pulse, "/min", says=says)]
    if flags & 8:
        found.append(Said(own("gatt", "energy since reset", "kJ"), p.number("H"), "kJ"))
    if flags & 16:
        beats = [1000 * p.number("H") / 1024 for _ in range(p.rest() // 2)]
        # the oldest comes first; each ended when the next began
        later = [sum(beats[i + 1 :]) for i in range(len(beats))]
        ends = [timedelta(milliseconds=ms) for ms in later]
        found += [
            Said(codes.rr_interval, b, "ms", says=says, ago=a)
            for b, a in zip(beats, ends, strict=True)
        ]
    return found


SPECIMEN = {1: "capillary whole blood", 2: "capillary plasma", 3: "venous whole blood"}
SPECIMEN |= {4: "venous plasma", 5: "arterial whole blood", 6: "arterial plasma"}
SPECIMEN |= {9: "interstitial fluid", 10: "control solution"}
STRIP = {0: "battery low", 1: "sensor fault", 2: "sample too small", 3: "strip inserted wrongly"}
STRIP |= {4: "wrong strip", 5: "above range", 6: "below range", 7: "sensor too hot"}
STRIP |= {8: "sensor too cold", 9: "strip pulled too soon", 10: "fault", 11: "time fault"}


def glucose(p: Payload) -> list[Said]:
    """0x2A18: glucose with specimen and the sensor's troubles; control solution is nobody's."""
    flags = p.number("B")
    p.number("H")  # sequence number
    at = p.time()
    if flags & 1:
        shift = timedelta(minutes=p.number("h"))
        at = at + shift if at else None
    value, specimen = nan, 0
    if flags & 2:
        value, specimen = p.medfloat16(), p.number("B") & 0x0F
    says = [SPECIMEN.get(specimen, "")] + ([words(p.number("H"), STRIP)] if flags & 8 else [])
    code = codes.glucose if specimen != 10 else own("gatt", "glucose of control solution", "mg/dL")
    return [Said(code, value, "mol/L" if flags & 4 else "kg/L", at, ", ".join(filter(None, says)))]


CUFF = {0: "moved during the measurement", 1: "cuff too loose", 2: "irregular pulse"}
CUFF |= {3: "pulse above range", 4: "pulse below range", 5: "wrong position"}


def blood_pressure(p: Payload) -> list[Said]:
    """0x2A35: the three pressures, and the pulse."""
    flags = p.number("B")
    unit = "kPa" if flags & 1 else "mm[Hg]"
    three = [p.medfloat16() for _ in range(3)]
    at = p.time() if flags & 2 else None
    pulse = p.medfloat16() if flags & 4 else nan
    if flags & 8:
        p.number("B")  # which of the device's users
    says = words(p.number("H"), CUFF) if flags & 16 else ""
    pressures = (codes.systolic, codes.diastolic, codes.mean_arterial)
    found = [Said(c, v, unit, at, says) for c, v in zip(pressures, three, strict=True)]
    return found + ([Said(codes.heart_rate, pulse, "/min", at, says)] if flags & 4 else [])


def weight(p: Payload) -> list[Said]:
    """0x2A9D: weight; with it, where told, body mass index and height."""
    flags = p.number("B")
    imperial = flags & 1
    mass = p.number("H")
    at = p.time() if flags & 2 else None
    if flags & 4:
        p.number("B")
    kilos = nan if mass == 0xFFFF else mass * (0.01 if imperial else 0.005)
    found = [Said(codes.weight, kilos, "[lb_av]" if imperial else "kg", at)]
    if flags & 8:
        index, tall = p.number("H"), p.number("H")
        found.append(Said(codes.body_mass_index, 0.1 * index, "kg/m2", at))
        height = (0.1 * tall, "[in_i]") if imperial else (0.001 * tall, "m")
        found.append(Said(codes.height, *height, at))
    return found


SIGHT = {5: "still measuring", 6: "early estimate", 7: "validated", 8: "fully qualified"}
SIGHT |= {9: "from memory", 10: "demonstration", 11: "testing", 12: "calibrating"}
SIGHT |= {13: "no measurement", 14: "questionable", 15: "invalid"}


def oximeter_spot(p: Payload) -> list[Said]:
    """0x2A5E: oxygen saturation and pulse, measured once."""
    flags = p.number("B")
    two = [p.medfloat16(), p.medfloat16()]
    at = p.time() if flags & 1 else None
    return _oxygen(p, flags >> 1, two, at)


def oximeter(p: Payload) -> list[Said]:
    """0x2A5F: oxygen saturation and pulse, moment by moment; of three averages the normal one."""
    flags = p.number("B")
    two = [p.medfloat16(), p.medfloat16()]
    for bit in (1, 2):  # the fast and the slow averages of the same signal
        if flags & bit:
            p.number("I")
    return _oxygen(p, flags >> 2, two, None)


def _oxygen(p: Payload, flags: int, two: list[float], at: datetime | None) -> list[Said]:
    says = words(p.number("H"), SIGHT) if flags & 1 else ""
    if flags & 2:
        p.number("H")  # the sensor's own state, 24 bits
        p.number("B")
    found = [
        Said(codes.spo2, two[0], "%", at, says),
        Said(codes.heart_rate, two[1], "/min", at, says),
    ]
    return found + ([Said(codes.perfusion_index, p.medfloat16(), "%", at)] if flags & 4 else [])


def temperature(p: Payload) -> list[Said]:
    """0x2A1C: body temperature, and where it was taken."""
    flags = p.number("B")
    value = p.medfloat32()
    at = p.time() if flags & 2 else None
    spots = ("", "armpit", "body", "ear", "finger", "gut", "mouth", "rectum", "toe", "eardrum")
    where = p.number("B") if flags & 4 else 0
    says = spots[where] if where < len(spots) else ""
    return [Said(codes.temperature, value, "[degF]" if flags & 1 else "Cel", at, says)]


DECODERS: dict[int, Callable[[Payload], list[Said]]] = {
    0x2A37: heart_rate,
    0x2A18: glucose,
    0x2A35: blood_pressure,
    0x2A9D: weight,
    0x2A5E: oximeter_spot,
    0x2A5F: oximeter,
    0x2A1C: temperature,
}


def decoded(characteristic: int, raw: bytes) -> list[Said]:
    """Everything a payload says. Raises `Malformed`, or `KeyError` for one we do not know."""
    payload = Payload(raw)
    found = DECODERS[characteristic](payload)
    if payload.rest():
        raise Malformed(f"{payload.rest()} bytes are left over; its flags do not tell of them")
    return found
