"""The demo game that `tickwire serve` runs when it is given no room of your own."""

from tickwire.demo.arena import Arena as Arena
