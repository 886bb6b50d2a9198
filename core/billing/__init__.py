"""Who pays for what: plans, what a subscription entitles to, and the truth as Stripe tells it."""
