"""The cluster's DNS: names, records, and what pods make of them."""
