"""The drill: a bot on an exchange in a box that fails in every known way, its engine killed again and again."""
