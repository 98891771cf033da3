"""The WeChat Official Account: its server URL, its answers within five seconds, its messages and notices."""
