"""Static word vectors trained from text with Swivel: counting, training, files."""
