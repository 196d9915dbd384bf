"""Public streams of an exchange: they tell early, and what was asked over REST stays the truth."""
