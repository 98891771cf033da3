"""What is said to citizens: guide facts put into words, and the phrases of everything that is not a fact."""
