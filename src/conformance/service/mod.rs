//! The cases for services: what every client relies on, and what identity providers do, step by step.

mod client;
pub mod entra;
pub mod keycloak;
pub mod okta;
pub mod protocol;
