"""What pages and printed documents are filled into; knows no request."""
