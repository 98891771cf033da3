"""Matters: the guides a citizen is answered from, and the powers and responsibilities behind them."""
