"""The protocol between a personal store and the keepers: tasks, measurements, noise, reports."""
