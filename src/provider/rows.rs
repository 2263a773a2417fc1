//! Result and error rows of all dialects, read into one borrowed shape.
