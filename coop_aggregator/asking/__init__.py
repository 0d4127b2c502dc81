"""Who is asked, about which territory, what, and for which purpose."""
