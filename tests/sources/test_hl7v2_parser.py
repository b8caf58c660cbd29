"""Claims about HL7 v2 as it is written; the oracle is the `hl7` package on real messages."""

from io import BytesIO

import hl7
import pytest

from medtwin.sources.hl7v2_batches import CHUNK, pieces
from medtwin.sources.hl7v2_parser import Unreadable, parsed

HEAD = r"MSH|^~\&|LAB|WEST|EHR|EAST|20260301080000+0100||ORU^R01|17|P|2.5.1"


def said(*lines: str, head: str = HEAD, end: str = "\r") -> bytes:
    return end.join([head, *lines]).encode()


def test_our_reading_is_that_of_the_hl7_package_on_every_sample(shared):
    folder = shared / "conformance" / "hl7v2-samples" / "data" / "SampleData" / "Hl7v2"
    files = sorted(folder.glob("*.hl7"))
    assert files
    for file in files:
        raw = file.read_bytes()
        ours = parsed(raw)
        text = raw.decode("utf-8-sig").replace("\r\n", "\r").replace("\n", "\r").strip()
        theirs = hl7.parse(text)
        assert len(theirs) == len(ours.segments), file.name
        for they, we in zip(theirs, ours.segments, strict=True):
            shift = 1 if we.name == "MSH" else 0
            raw_theirs = [str(f) for f in they][shift + 1 :] if shift else [str(f) for f in they]
            assert raw_theirs == (we.fields[2:] if shift else we.fields), file.name
            for number in range(3, min(len(they), 12)):
                assert we.text(number) == _first(they, number, theirs), (file.name, we.place)


def _first(segment, number, message):
    raw = str(segment[number][0]) if str(segment[number]) else ""
    first = raw.split("^")[0].split("&")[0]
    return "" if first == '""' else message.unescape(first).strip()


def test_separators_are_those_the_message_names():
    head = "MSH$*!/@$LAB$WEST$$$20260301$$ORU*R01$17$P$2.5"
    message = parsed(said("PID$1$$7@8*b!9", head=head))
    pid = message.segments[1]
    assert message.type == "ORU^R01"
    assert [v[1] for v in pid.every(3)] == ["7", "9"]
    assert pid[3].part(1, 2) == "8"


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (r"salt \T\ water", "salt & water"),
        (r"a\F\b\S\c\R\d\E\e", r"a|b^c~d\e"),
        (r"one\.br\two", "one\ntwo"),
        (r"\X48C3A9\llo", "Héllo"),
        (r"\H\loud\N\ ", "loud"),
        ('""', ""),
        ("a lone \\ stays", "a lone \\ stays"),
    ],
)
def test_escapes_are_undone(sent, meant):
    assert parsed(said(f"NTE|1||{sent}")).segments[1].text(3) == meant


def test_escaped_separators_do_not_separate():
    assert parsed(said(r"PID|1||A\S\B^2")).segments[1][3][1] == "A^B"


def test_an_old_message_without_a_version_is_read():
    head = "MSH|^~\\&|LAB|WEST|||20260301||ORU^R01"
    assert parsed(said("PID|1", head=head)).type == "ORU^R01"


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_any_end_of_line_ends_a_segment(end):
    assert [s.name for s in parsed(said("PID|1", "PV1|1", end=end)).segments][1:] == ["PID", "PV1"]


@pytest.mark.parametrize(("named", "codec"), [("8859/1", "latin-1"), ("UNICODE UTF-8", "utf-8")])
def test_the_charset_is_the_one_msh_18_names(named, codec):
    head = f"{HEAD}||||||{named}"
    raw = (head + "\rPID|1||7||Müller").encode(codec)
    assert parsed(raw).segments[1].text(5) == "Müller"


@pytest.mark.parametrize(
    ("raw", "because"),
    [
        (b"hello", "a message begins with MSH"),
        (b"MSH", "separators"),
        (b"MSH|^^\\&|A", "up to six different signs"),
        (b"MSHABCD|x", "separators"),
        (b"MSH|^~\\&|LAB", "cut short"),
        (HEAD[:60].encode(), "cut short"),
        (said("PID^1^^7"), "line 2 begins with 'PID^1^^7'"),
        (said(*["NTE|1"] * 50_001), "it has 50002 segments; allowed are 50000"),
        (said("PI"), "a segment is three letters"),
        (said("PID|1||7||M\xfcller").replace(b"\xc3\xbc", b"\xfc"), "is not utf-8; say in MSH-18"),
        (said("PID|1||7||é", head=f"{HEAD}||||||EBCDIC"), "'EBCDIC'; allowed is HL7 table 0211"),
    ],
)
def test_what_is_no_message_is_refused_with_the_reason(raw, because):
    with pytest.raises(Unreadable, match=r".*") as why:
        parsed(raw)
    assert because in str(why.value)


def test_a_file_is_read_message_by_message_whatever_stands_between_them():
    one, two = said("PID|1"), said("PID|2")
    wrapped = b"\x0b" + one + b"\x1c\r\x0b" + two + b"\x1c\r"
    for raw in (one + b"\r" + two, wrapped, b"\xef\xbb\xbf" + one + b"\r\n\r\n" + two):
        assert [p.raw for p in pieces(BytesIO(raw))] == [one, two]


def test_a_message_over_the_limit_is_not_held_and_the_next_one_is_read():
    big = said("OBX|1|TX|a||" + "x" * (3 * CHUNK))
    small = said("PID|1")
    found = list(pieces(BytesIO(small + b"\r" + big + b"\r" + small), largest=CHUNK))
    assert [p.raw for p in found] == [small, b"", small]
    assert abs(found[1].size - len(big)) < 3


def test_messages_that_lie_across_pieces_of_the_file_are_whole():
    every = [said(f"NTE|{k}||" + "y" * 300) for k in range(8000)]
    assert [p.raw for p in pieces(BytesIO(b"\r".join(every)))] == every
