//! Tasks between wire and model.
