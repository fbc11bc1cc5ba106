"""Cities as rows of files, in and out; knows no round."""
