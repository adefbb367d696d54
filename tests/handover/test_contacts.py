from __future__ import annotations

import pytest

from handover.contacts import national_number, valid_email


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("03641 490", "03641 490"),
        ("03641/49-0", "03641 490"),
        ("+49 (0)3641 49 0", "03641 490"),
        ("0049 3641 490", "03641 490"),
        ("01761234567", "0176 1234567"),
        ("+43 1 40000", "+43 1 40000"),
        ("tel. 03641 490", "03641 490"),
    ],
)
def test_numbers_are_written_the_usual_way(typed: str, number: str) -> None:
    assert national_number(typed) == number


@pytest.mark.parametrize("typed", ["", "112", "0", "keine", "+", "0" * 40, "12345678901234567890"])
def test_what_cannot_be_called_is_no_number(typed: str) -> None:
    with pytest.raises(ValueError, match="telephone"):
        national_number(typed)


@pytest.mark.parametrize("typed", ["sabine@stadt.de", "Sabine.M+x@post.stadt.de", "bürger@jena.de"])
def test_addresses(typed: str) -> None:
    assert "@" in valid_email(typed)


@pytest.mark.parametrize("typed", ["", "sabine", "@stadt.de", "a@b", "a b@stadt.de", "a@stadt.de\nBcc: b@c.de"])
def test_what_is_no_address(typed: str) -> None:
    with pytest.raises(ValueError, match="e-mail"):
        valid_email(typed)
