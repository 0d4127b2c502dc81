"""STEP 2: positionfixes to staypoints, trips and triplegs with a travel mode."""
