"""Templates, style and script of the leaderboard page."""
