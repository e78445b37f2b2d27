"""What may be shown: policies, rules, the judge of one stream. Knows no driver and no clock."""
