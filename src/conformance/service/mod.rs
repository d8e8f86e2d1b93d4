//! The cases for services.
