"""Rules over any stack's resources, and a policy pack over them."""
