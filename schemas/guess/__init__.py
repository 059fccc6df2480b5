"""Guesses what a source column holds from its name and type; a guess may hide too much, never too little."""

from schemas.guess.guess import Guess, guess

__all__ = ["Guess", "guess"]
