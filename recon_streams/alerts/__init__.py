"""What on-call hears: one alert for each cause, told once, again if worse, and its end."""
