"""Attachments (附件): pictures and places that citizens send into a conversation."""
