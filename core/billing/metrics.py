"""What subscriptions are worth, and how that changed. Pure."""
