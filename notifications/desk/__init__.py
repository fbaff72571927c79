"""What every list at the desk is made of: pages by keyset, counts that cost little, filters, a search."""
