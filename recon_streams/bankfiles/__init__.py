"""Files as banks deliver them: folders, ZIPs, several documents in one, MT940."""
