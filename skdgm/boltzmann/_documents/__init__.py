"""Models of documents, whose lengths are given."""
