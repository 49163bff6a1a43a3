"""Who computes: threads and processes by joblib, clusters by Dask."""
