"""What a stack may say: strict models, whole-stack checks, loader, JSON schema."""
