"""What those who handle and supervise complaints see: queues, figures, rankings, hot spots. It only reads."""
