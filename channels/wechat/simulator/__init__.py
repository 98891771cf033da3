"""A stand-in of the WeChat platform on this machine: its API, its posts and retries, and a phone to try them with."""
