//! The OWASP API Security Top 10 of 2023 as attacks on the whole product, each risk a module; calls of an honest
//! session replayed with one thing changed; markup planted wherever a person or TMDb may put a name. What other tests
//! attack already is named at the head of each module and not attacked again.

#![allow(clippy::unwrap_used, dead_code, reason = "a test that cannot go on fails; helpers are shared")]

#[path = "../accounts/product.rs"]
mod product;
#[path = "../library/world.rs"]
mod world;

mod edited;
mod planted;
mod victim;

mod api01_objects;
mod api02_authentication;
mod api03_properties;
mod api04_consumption;
mod api05_functions;
mod api06_flows;
mod api07_forgery;
mod api08_configuration;
mod api09_inventory;
mod api10_upstream;
