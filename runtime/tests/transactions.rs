//! Whole transactions: what makes them valid, what they cost, what they leave behind.

#[path = "transactions/basics.rs"]
mod basics;
#[path = "transactions/clearing.rs"]
mod clearing;
#[path = "transactions/creation.rs"]
mod creation;
#[path = "transactions/failing_host.rs"]
mod failing_host;
#[path = "transactions/fees.rs"]
mod fees;
#[path = "transactions/set_code.rs"]
mod set_code;
#[path = "transactions/validity.rs"]
mod validity;
#[path = "transactions/world.rs"]
mod world;
