"""Control without a centre: link states by flooding, seats that know what they heard, domains that ask each other for segments."""
