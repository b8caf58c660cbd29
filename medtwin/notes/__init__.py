"""What a clinical note says: findings, medicines, values and lesions, each with its very words."""
