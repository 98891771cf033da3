"""Open311 GeoReport v2: complaints for standard clients, in JSON and XML."""
