"""How a value is hidden: Arrow arrays in, Arrow arrays out; no Spark, cloud, clock or network."""
