"""Statistics of features, gathered batch by batch: shared by StatisticsGen and Transform."""
