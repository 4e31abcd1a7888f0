//! Plans between wire and model.
