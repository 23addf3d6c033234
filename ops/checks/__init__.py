"""One file a subject: what is asked, and how the answers are judged."""
