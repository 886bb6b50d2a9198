"""What a change of a subscription costs, as Stripe reckons it. Pure."""
